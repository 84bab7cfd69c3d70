/**
 * Everything that a query does, wherever in it: data-modifying CTEs, functions, operators, casts, relations read or locked.
 * Goes through every field of every node, so that a node that nobody thought of is still searched.
 */
import type { TriggerEvent } from './meanings.ts'
import { isUnbounded, type RowNames } from './bounds.ts'
import {
  type Fields,
  fieldsOf,
  isFields,
  list,
  literalOf,
  type Name,
  nameOf,
  relationOf,
  stringOf,
  text,
  unwrap,
} from './nodes.ts'
import type { Reading } from './reading.ts'

export interface Scope {
  /** Names of CTEs, which hide relations of that name. */
  readonly hidden: ReadonlySet<string>
  /** Variables and parameters of the function around it. */
  readonly variables: ReadonlySet<string>
}

export const outermost: Scope = { hidden: new Set(), variables: new Set() }

type Visit = (fields: Fields, scope: Scope, out: Reading) => void

/** Nodes that mean more than the sum of their fields. */
const visits: Readonly<Record<string, Visit>> = {
  SelectStmt: visitSelect,
  InsertStmt(fields, scope, out) {
    const inner = visitWith(fields, scope, out)
    const onConflict = isFields(fields.onConflictClause) && fields.onConflictClause.action === 'ONCONFLICT_UPDATE'
    const events: TriggerEvent[] = onConflict ? ['INSERT', 'UPDATE'] : ['INSERT']
    const unbounded = onConflict && updatesItself(fields, scope)
    out.actions.push({ verb: 'INSERT', kind: 'write', relations: targetOf(fields), unbounded, events })
    visitFields(fields, ['relation', 'withClause'], inner, out)
  },
  UpdateStmt(fields, scope, out) {
    const inner = visitWith(fields, scope, out)
    const unbounded = isUnbounded(fields.whereClause, rowNames(fields, list(fields.fromClause), scope))
    out.actions.push({ verb: 'UPDATE', kind: 'write', relations: targetOf(fields), unbounded, events: ['UPDATE'] })
    visitFields(fields, ['relation', 'withClause'], inner, out)
  },
  DeleteStmt(fields, scope, out) {
    const inner = visitWith(fields, scope, out)
    const unbounded = isUnbounded(fields.whereClause, rowNames(fields, list(fields.usingClause), scope))
    out.actions.push({ verb: 'DELETE', kind: 'write', relations: targetOf(fields), unbounded, events: ['DELETE'] })
    visitFields(fields, ['relation', 'withClause'], inner, out)
  },
  MergeStmt: visitMerge,
  FuncCall(fields, scope, out) {
    const name = nameOf(fields.funcname)
    if (name !== undefined) out.calls.push({ name, literals: list(fields.args).map(argumentOf), asColumn: false })
    visitFields(fields, ['funcname'], scope, out)
  },
  ColumnRef(fields, _scope, out) {
    const parts = list(fields.fields).map(stringOf)
    const name = parts.at(-1)
    if (parts.length > 1 && name !== undefined) out.calls.push({ name: { name }, literals: [], asColumn: true })
  },
  A_Indirection(fields, scope, out) {
    for (const step of list(fields.indirection)) {
      const name = stringOf(step)
      if (name !== undefined) out.calls.push({ name: { name }, literals: [], asColumn: true })
    }
    visitFields(fields, [], scope, out)
  },
  A_Expr(fields, scope, out) {
    const name = stringOf(list(fields.name).at(-1))
    if (name !== undefined) out.operators.add(name)
    if (/BETWEEN/.test(String(fields.kind))) for (const operator of ['<=', '>=', '<', '>']) out.operators.add(operator)
    visitFields(fields, ['name'], scope, out)
  },
  SubLink(fields, scope, out) {
    out.operators.add(stringOf(list(fields.operName).at(-1)) ?? '=')
    visitFields(fields, ['operName'], scope, out)
  },
  SortBy(fields, scope, out) {
    const operator = stringOf(list(fields.useOp).at(-1))
    if (operator !== undefined) out.operators.add(operator)
    visitFields(fields, ['useOp'], scope, out)
  },
  CaseExpr(fields, scope, out) {
    if (fields.arg !== undefined) out.operators.add('=')
    visitFields(fields, [], scope, out)
  },
  TypeName: visitType,
  RangeTableSample(fields, scope, out) {
    const name = nameOf(fields.method)
    if (name !== undefined) out.calls.push({ name, literals: [], asColumn: false })
    visitFields(fields, ['method'], scope, out)
  },
  RangeVar(fields, scope, out) {
    const name = relationOf(fields)
    if (name === undefined) return
    if (name.schema === undefined && scope.hidden.has(name.name)) return
    out.reads.push(name)
  },
}

/** Words that newer grammars made keywords: on an older server each is a call of whatever function has that name. */
const keywordFunctions: Readonly<Record<string, readonly [names: readonly string[], before: number]>> = {
  JsonObjectConstructor: [['json_object'], 160_000],
  JsonArrayConstructor: [['json_array'], 160_000],
  JsonArrayQueryConstructor: [['json_array'], 160_000],
  JsonObjectAgg: [['json_objectagg'], 160_000],
  JsonArrayAgg: [['json_arrayagg'], 160_000],
  JsonParseExpr: [['json'], 170_000],
  JsonScalarExpr: [['json_scalar'], 170_000],
  JsonSerializeExpr: [['json_serialize'], 170_000],
  JsonFuncExpr: [['json_value', 'json_query', 'json_exists'], 170_000],
  JsonTable: [['json_table'], 170_000],
  MergeSupportFunc: [['merge_action'], 170_000],
}

/** Fields whose node is not wrapped in its type's name, because the grammar allows only that one there. */
const bare: Readonly<Record<string, string>> = {
  relation: 'RangeVar',
  larg: 'SelectStmt',
  rarg: 'SelectStmt',
  typeName: 'TypeName',
  argType: 'TypeName',
  returnType: 'TypeName',
}

export function visit(value: unknown, scope: Scope, out: Reading, key = ''): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, scope, out, key)
    return
  }
  const node = unwrap(value)
  if (node !== undefined) {
    visitNode(node.type, node.fields, scope, out)
    return
  }
  if (!isFields(value)) return
  const type = bare[key]
  if (type !== undefined) visitNode(type, value, scope, out)
  else visitFields(value, [], scope, out)
}

function visitNode(type: string, fields: Fields, scope: Scope, out: Reading): void {
  const keyword = keywordFunctions[type]
  if (keyword !== undefined)
    for (const name of keyword[0]) out.calls.push({ name: { name }, literals: [], asColumn: false, before: keyword[1] })
  const special = visits[type]
  if (special === undefined) visitFields(fields, [], scope, out)
  else special(fields, scope, out)
}

export function visitFields(fields: Fields, without: readonly string[], scope: Scope, out: Reading): void {
  for (const [key, value] of Object.entries(fields)) if (!without.includes(key)) visit(value, scope, out, key)
}

function visitSelect(fields: Fields, scope: Scope, out: Reading): void {
  const inner = visitWith(fields, scope, out)
  if (isFields(fields.intoClause)) {
    const into = relationOf(fields.intoClause.rel)
    out.actions.push({ verb: 'SELECT INTO', kind: 'ddl', relations: into === undefined ? [] : [into] })
    if (into !== undefined) out.creations.push({ type: 'relation', name: into })
    if (into?.schema === 'pg_temp') out.temporary = true
  }
  if (fields.lockingClause !== undefined) {
    // Row locks stop others from writing, and are written into the rows.
    const relations: Name[] = []
    relationsIn(fields.fromClause, relations)
    const seen = relations.filter(({ schema, name }) => schema !== undefined || !inner.hidden.has(name))
    out.actions.push({ verb: 'SELECT FOR UPDATE', kind: 'write', relations: seen })
  }
  visitFields(fields, ['withClause', 'intoClause', 'lockingClause'], inner, out)
}

/** `INSERT INTO t SELECT … FROM t ON CONFLICT DO UPDATE` changes every row that its SELECT finds. */
function updatesItself(fields: Fields, scope: Scope): boolean {
  const select = fieldsOf(fields.selectStmt, 'SelectStmt')
  const target = isFields(fields.relation) ? text(fields.relation.relname) : undefined
  const from = list(select?.fromClause)
  const same = from.map((item) => fieldsOf(item, 'RangeVar')).find((range) => text(range?.relname) === target)
  if (select === undefined || same === undefined || select.limitCount !== undefined) return false
  return isUnbounded(select.whereClause, rowNames({ relation: same }, from.length > 1 ? from : [], scope))
}

function visitMerge(fields: Fields, scope: Scope, out: Reading): void {
  const inner = visitWith(fields, scope, out)
  const names = rowNames(fields, [fields.sourceRelation], scope)
  const loose = isUnbounded(fields.joinCondition, names)
  const events = new Set<TriggerEvent>()
  let unbounded = false
  for (const item of list(fields.mergeWhenClauses)) {
    const when = fieldsOf(item, 'MergeWhenClause')
    if (when?.commandType === 'CMD_INSERT') events.add('INSERT')
    if (when?.commandType !== 'CMD_UPDATE' && when?.commandType !== 'CMD_DELETE') continue
    events.add(when.commandType === 'CMD_UPDATE' ? 'UPDATE' : 'DELETE')
    const everyRow = loose || when.matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE'
    if (everyRow && isUnbounded(when.condition, names)) unbounded = true
  }
  out.actions.push({ verb: 'MERGE', kind: 'write', relations: targetOf(fields), unbounded, events: [...events] })
  visitFields(fields, ['relation', 'withClause'], inner, out)
}

/** Names of CTEs hide relations from where they are known on: later CTEs and the query; with RECURSIVE everywhere. */
function visitWith(fields: Fields, scope: Scope, out: Reading): Scope {
  const { withClause } = fields
  if (!isFields(withClause)) return scope
  const ctes = list(withClause.ctes).map((item) => fieldsOf(item, 'CommonTableExpr') ?? {})
  const hidden = new Set(scope.hidden)
  const recursive = withClause.recursive === true
  if (recursive) for (const cte of ctes) hidden.add(text(cte.ctename) ?? '')
  for (const cte of ctes) {
    visitFields(cte, [], { ...scope, hidden: new Set(hidden) }, out)
    hidden.add(text(cte.ctename) ?? '')
  }
  return { ...scope, hidden }
}

function visitType(fields: Fields, scope: Scope, out: Reading): void {
  const name = nameOf(fields.names)
  if (name !== undefined) out.types.push(name)
  visitFields(fields, ['names'], scope, out)
}

function targetOf(fields: Fields): readonly Name[] {
  const name = relationOf(fields.relation)
  return name === undefined ? [] : [name]
}

function rowNames(fields: Fields, others: readonly unknown[], scope: Scope): RowNames {
  const relation = isFields(fields.relation) ? fields.relation : {}
  const name = text(relation.relname) ?? ''
  const twins = new Set<string>()
  for (const other of others) {
    const range = fieldsOf(other, 'RangeVar')
    if (range !== undefined && text(range.relname) === name) twins.add(aliasOf(range) ?? name)
  }
  const target = aliasOf(relation) ?? name
  return { target, relation: name, twins, joined: others.length > 0, variables: scope.variables }
}

function aliasOf(range: Fields): string | undefined {
  return isFields(range.alias) ? text(range.alias.aliasname) : undefined
}

function relationsIn(value: unknown, found: Name[]): void {
  if (Array.isArray(value)) for (const item of value) relationsIn(item, found)
  const node = unwrap(value)
  if (node?.type === 'RangeVar') {
    const name = relationOf(node.fields)
    if (name !== undefined) found.push(name)
  } else if (node?.type === 'JoinExpr') {
    relationsIn(node.fields.larg, found)
    relationsIn(node.fields.rarg, found)
  } else if (node?.type === 'RangeSubselect') {
    // FOR UPDATE reaches into subqueries.
    relationsIn(fieldsOf(node.fields.subquery, 'SelectStmt')?.fromClause, found)
  }
}

function argumentOf(value: unknown): string | undefined {
  const named = fieldsOf(value, 'NamedArgExpr')
  return named === undefined ? literalOf(value) : undefined
}
