/**
 * From a statement's tree to its output columns: how each has to be masked, and its name where that is certain. Pure.
 * What cannot be followed comes out masked.
 */
import { type Fields, fieldsOf, isFields, list, stringOf, text, unwrap } from '../sql/nodes.ts'
import { expressionStyle, targetOutputs } from './expressions.ts'
import { addFrom, relationItem } from './from.ts'
import { derived, type Ground, type OutColumn, type Output, strictestOf } from './ground.ts'
import { createScope, itemOf, type Scope, starOf } from './scope.ts'
import { strictest } from './strictness.ts'
import type { Walk } from './walk.ts'

export function createWalk(ground: Ground): Walk {
  const walk: Walk = {
    ground,
    query: (node, around) => queryOutputs(node, around, walk),
    expression: (node, scope) => expressionStyle(node, scope, walk),
  }
  return walk
}

/** The rows that a statement answers with. */
export function statementOutputs(tree: unknown, walk: Walk): readonly Output[] {
  const node = unwrap(tree)
  const fields = node?.fields ?? {}
  const { ground } = walk
  const everything: readonly Output[] = [{ run: 'redact' }]
  switch (node?.type) {
    case 'SelectStmt':
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt':
      return queryOutputs(tree, undefined, walk)
    case 'ExecuteStmt': {
      const given = walk.expression(list(fields.params), createScope(undefined))
      return given === undefined ? (ground.prepared(text(fields.name) ?? '') ?? everything) : everything
    }
    case 'FetchStmt':
      return ground.cursor(text(fields.portalname) ?? '') ?? everything
    case 'CallStmt':
      // The grammar has nothing but a call there, so it stands without its type's name.
      return [{ run: walk.expression({ FuncCall: fields.funccall }, createScope(undefined)) }]
    case 'ExplainStmt':
      // A plan shows what the statement says, not what tables hold; but functions may be computed while planning.
      return [{ run: callsSuspect(fields.query, ground) ? 'redact' : undefined }]
    case 'VariableShowStmt':
      return [{ run: undefined }]
    default:
      return everything
  }
}

function callsSuspect(value: unknown, ground: Ground): boolean {
  if (Array.isArray(value)) return value.some((item) => callsSuspect(item, ground))
  if (!isFields(value)) return false
  const call = fieldsOf(value, 'FuncCall')
  const name = call === undefined ? undefined : stringOf(list(call.funcname).at(-1))
  if (name !== undefined && ground.suspectsFunction(name)) return true
  const operator = fieldsOf(value, 'A_Expr')
  if (operator !== undefined && ground.suspectsOperator(stringOf(list(operator.name).at(-1)) ?? '')) return true
  return Object.values(value).some((item) => callsSuspect(item, ground))
}

function queryOutputs(value: unknown, around: Scope | undefined, walk: Walk): readonly Output[] {
  const node = unwrap(value)
  if (node === undefined) return [{ run: 'redact' }]
  switch (node.type) {
    case 'SelectStmt':
      return selectOutputs(node.fields, around, walk)
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt':
      return returningOutputs(node.fields, around, walk)
    default:
      return [{ run: 'redact' }]
  }
}

export function selectOutputs(fields: Fields, around: Scope | undefined, walk: Walk): readonly Output[] {
  const scope = createScope(around)
  addTables(scope, fields.withClause, walk)
  if (fields.op !== undefined && fields.op !== 'SETOP_NONE') {
    const left = isFields(fields.larg) ? selectOutputs(fields.larg, scope, walk) : []
    const right = isFields(fields.rarg) ? selectOutputs(fields.rarg, scope, walk) : []
    return union(left, right)
  }
  const values = list(fields.valuesLists)
  if (values.length > 0) return valuesOutputs(values, scope, walk)
  addFrom(scope, list(fields.fromClause), walk)
  return targetOutputs(list(fields.targetList), scope, walk)
}

function valuesOutputs(rows: readonly unknown[], scope: Scope, walk: Walk): readonly Output[] {
  const outputs: OutColumn[] = []
  for (const row of rows)
    list(row).forEach((value, index) => {
      const style = walk.expression(value, scope)
      outputs[index] = { name: `column${index + 1}`, style: strictest(outputs[index]?.style, style) }
    })
  return outputs
}

function union(left: readonly Output[], right: readonly Output[]): readonly Output[] {
  if (left.length !== right.length || [...left, ...right].some((output) => 'run' in output))
    return [{ run: strictest(strictestOf(left), strictestOf(right)) }]
  return left.map((output, index) => {
    const other = right[index]
    const style = strictest(
      'run' in output ? output.run : output.style,
      other === undefined || 'run' in other ? undefined : other.style,
    )
    return { name: 'run' in output ? undefined : output.name, style }
  })
}

/** A scope in which the target of a writing statement, and what it is joined with, can be named. */
export function writingScope(fields: Fields, around: Scope | undefined, walk: Walk): Scope {
  const scope = createScope(around)
  addTables(scope, fields.withClause, walk)
  const target = isFields(fields.relation) ? fields.relation : {}
  // The target is always a relation, even where a common table expression has its name.
  const item = relationItem(createScope(undefined), target, walk)
  scope.items.push(item)
  scope.star.push(...starOf(item))
  addFrom(scope, [...list(fields.fromClause), ...list(fields.usingClause)], walk)
  if (fields.sourceRelation !== undefined) addFrom(scope, [fields.sourceRelation], walk)
  return scope
}

function returningOutputs(fields: Fields, around: Scope | undefined, walk: Walk): readonly Output[] {
  const clause = isFields(fields.returningClause) ? fields.returningClause : undefined
  const targets = clause === undefined ? list(fields.returningList) : list(clause.exprs)
  const target = isFields(fields.relation) ? fields.relation : {}
  const relation = walk.ground.relation(text(target.relname) ?? '', text(target.schemaname))
  // A rewrite rule can put any query in the place of this statement.
  if (relation.hasRules) return [{ run: 'redact' }]
  if (targets.length === 0) return []
  const scope = writingScope(fields, around, walk)
  const written = scope.items[0]
  if (written !== undefined) {
    const names = list(clause?.options).map((option) => text(fieldsOf(option, 'ReturningOption')?.value))
    for (const alias of ['old', 'new', ...names])
      if (alias !== undefined) scope.items.push({ ...written, alias, columns: written.columns })
  }
  return targetOutputs(targets, scope, walk)
}

/** Common table expressions. Recursive ones are gone through until nothing more turns out to be masked. */
export function addTables(scope: Scope, clause: unknown, walk: Walk): void {
  if (!isFields(clause)) return
  const tables = list(clause.ctes).flatMap((cte) => {
    const fields = fieldsOf(cte, 'CommonTableExpr')
    const name = text(fields?.ctename)
    return fields === undefined || name === undefined ? [] : [{ name, fields }]
  })
  if (clause.recursive !== true) {
    for (const { name, fields } of tables) scope.tables.set(name, tableOutputs(fields, scope, walk))
    return
  }
  for (const { name, fields } of tables) scope.tables.set(name, unread(fields))
  // Styles only get stricter, so this ends; a statement that needs more rounds than columns is not worth following.
  for (let round = 0; round < 32; round++) {
    let changed = false
    for (const { name, fields } of tables) {
      const outputs = tableOutputs(fields, scope, walk)
      if (JSON.stringify(outputs) !== JSON.stringify(scope.tables.get(name))) changed = true
      scope.tables.set(name, outputs)
    }
    if (!changed) return
  }
  for (const { name } of tables) scope.tables.set(name, [{ run: 'redact' }])
}

/** What a recursive table is taken for before it has been read: its own columns, nothing masked. */
function unread(fields: Fields): readonly Output[] {
  const names = list(fields.aliascolnames).map((name) => stringOf(name))
  return names.length > 0 ? names.map((name) => ({ name, style: undefined })) : [{ run: undefined }]
}

function tableOutputs(fields: Fields, scope: Scope, walk: Walk): readonly Output[] {
  const outputs = walk.query(fields.ctequery, scope)
  const names = list(fields.aliascolnames).map((name) => stringOf(name) ?? '')
  const item = itemOf(undefined, outputs, names)
  const columns: readonly Output[] = item.exact ? item.columns : [...item.columns, { run: item.rest }]
  // SEARCH and CYCLE add columns that are made of the others.
  const extra = fields.search_clause !== undefined || fields.cycle_clause !== undefined
  return extra ? [...columns, { run: derived(strictestOf(outputs)) }] : columns
}
