/**
 * Would a statement put masked values where they could not be recognised any more: another table, a setting, a file?
 * Masks go by the column that a value comes from, so a copy of it elsewhere would be shown to the same person at once.
 */
import type { MaskStyle } from '../../../checkpoint.ts'
import { type Fields, fieldsOf, isFields, list, nameOf, options, optionText, text, unwrap } from '../sql/nodes.ts'
import { storesAnything } from './builtins.ts'
import { type OutColumn, type Output, strictestOf } from './ground.ts'
import { addFrom } from './from.ts'
import { addTables, statementOutputs, writingScope } from './lineage.ts'
import { createScope, type Scope } from './scope.ts'
import type { Storing } from './suspects.ts'
import { callsSuspects } from './touches.ts'
import type { Walk } from './walk.ts'

export interface StoringContext {
  readonly walk: Walk
  /** What users made that may keep what it is given. */
  readonly storing: Pick<Storing, 'functions' | 'operators' | 'types'>
  /** Of the text of a DO block. */
  mentionsMasked(text: string): boolean
  /** Trees of a prepared statement; undefined: not known. */
  prepared(name: string): readonly unknown[] | undefined
}

/** What would be stored where, as the middle of a sentence; undefined: nothing. */
export function storesMasked(tree: unknown, context: StoringContext): string | undefined {
  const { walk } = context
  const node = unwrap(tree)
  if (node === undefined) return undefined
  const { type, fields } = node
  const whole = type === 'CallStmt' ? { FuncCall: fields.funccall } : tree
  if (anyKeeps(whole, context) && callsStoring(whole, context))
    return 'in a setting, lock, sequence or object of the server, or by a function'
  for (const found of writingTables(fields, walk)) if (found !== undefined) return found
  switch (type) {
    case 'SelectStmt':
      return isFields(fields.intoClause) && isMasked(statementOutputs(tree, walk)) ? 'in a new table' : undefined
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'MergeStmt':
      return writes(type, fields, undefined, walk)
    case 'CreateTableAsStmt':
      return fields.objtype !== 'OBJECT_MATVIEW' && isMasked(statementOutputs(fields.query, walk))
        ? 'in a new table'
        : undefined
    case 'CopyStmt':
      return copies(fields, walk) ? 'in a file or a program' : undefined
    case 'AlterTableStmt':
      return rewrites(fields, walk)
    case 'ExplainStmt':
    case 'PrepareStmt':
      return storesMasked(fields.query, context)
    case 'ExecuteStmt': {
      const prepared = context.prepared(text(fields.name) ?? '')
      if (walk.expression(list(fields.params), createScope(undefined)) !== undefined)
        // Whatever it does with its parameters: a SELECT of nothing but them may call something that keeps them.
        return prepared?.every(isQuiet) === true ? undefined : 'by what was prepared'
      return (prepared ?? []).map((one) => storesMasked(one, context)).find((found) => found !== undefined)
    }
    case 'DoStmt':
      return blockMentions(fields, context) ? 'or show them, in ways that cannot be followed (a DO block)' : undefined
    default:
      return undefined
  }
}

function isMasked(outputs: readonly Output[]): boolean {
  return strictestOf(outputs) !== undefined
}

/** Writing statements inside WITH. */
function writingTables(fields: Fields, walk: Walk): readonly (string | undefined)[] {
  const ctes = isFields(fields.withClause) ? list(fields.withClause.ctes) : []
  if (ctes.length === 0) return []
  const scope = createScope(undefined)
  addTables(scope, fields.withClause, walk)
  return ctes.map((cte) => {
    const query = unwrap(fieldsOf(cte, 'CommonTableExpr')?.ctequery)
    return query === undefined ? undefined : writes(query.type, query.fields, scope, walk)
  })
}

function writes(type: string, fields: Fields, around: Scope | undefined, walk: Walk): string | undefined {
  const target = isFields(fields.relation) ? fields.relation : {}
  const name = text(target.relname) ?? ''
  const { columns, fills } = walk.ground.relation(name, text(target.schemaname))
  const place = `in ${name}`
  const isOpen = (column: string | undefined): boolean =>
    column === undefined || columns.find((candidate) => candidate.name === column)?.style === undefined
  const scope = writingScope(fields, around, walk)
  const assigned = (targets: unknown): boolean =>
    list(targets).some((item) => {
      const one = fieldsOf(item, 'ResTarget')
      return one !== undefined && isOpen(text(one.name)) && assignedStyle(one.val, scope, walk) !== undefined
    })

  if (type === 'UpdateStmt') return assigned(fields.targetList) ? place : undefined
  if (fills === true) return place
  if (type === 'MergeStmt')
    return list(fields.mergeWhenClauses).some((clause) => mergeStores(clause)) ? place : undefined
  if (type !== 'InsertStmt') return undefined
  if (fields.selectStmt !== undefined) {
    const source = createScope(around)
    addTables(source, fields.withClause, walk)
    const names = list(fields.cols).map((column) => text(fieldsOf(column, 'ResTarget')?.name))
    const given = names.length > 0 ? names : columns.map((column: OutColumn) => column.name)
    if (insertsOpenly(walk.query(fields.selectStmt, source), given, isOpen)) return place
  }
  const conflict = isFields(fields.onConflictClause) ? fields.onConflictClause : {}
  const [written] = scope.items
  if (written !== undefined) scope.items.push({ ...written, alias: 'excluded' })
  return assigned(conflict.targetList) ? place : undefined

  function mergeStores(clause: unknown): boolean {
    const when = fieldsOf(clause, 'MergeWhenClause')
    if (when === undefined) return true
    const values = list(when.values)
    if (values.length === 0) return assigned(when.targetList)
    const names = list(when.targetList).map((column) => text(fieldsOf(column, 'ResTarget')?.name))
    const given = names.length > 0 ? names : columns.map((column) => column.name)
    return values.some((value, index) => isOpen(given[index]) && walk.expression(value, scope) !== undefined)
  }
}

function insertsOpenly(
  outputs: readonly Output[],
  names: readonly (string | undefined)[],
  isOpen: (column: string | undefined) => boolean,
): boolean {
  if (outputs.some((output) => 'run' in output)) return isMasked(outputs) && (names.length === 0 || names.some(isOpen))
  return outputs.some((output, index) => !('run' in output) && output.style !== undefined && isOpen(names[index]))
}

/** `(a, b) = (SELECT x, y)` assigns each its own. */
function assignedStyle(value: unknown, scope: Scope, walk: Walk): MaskStyle | undefined {
  const multiple = fieldsOf(value, 'MultiAssignRef')
  if (multiple === undefined) return walk.expression(value, scope)
  const number = typeof multiple.colno === 'number' ? multiple.colno - 1 : 0
  const row = fieldsOf(multiple.source, 'RowExpr')
  if (row !== undefined) return walk.expression(list(row.args)[number], scope)
  const outputs = walk.query(fieldsOf(multiple.source, 'SubLink')?.subselect, scope)
  const output = outputs.some((one) => 'run' in one) ? undefined : outputs[number]
  return output === undefined || 'run' in output ? strictestOf(outputs) : output.style
}

/** COPY (query) TO a file: what a file holds, no mask can find. */
function copies(fields: Fields, walk: Walk): boolean {
  if (fields.is_from === true || (fields.filename === undefined && fields.is_program !== true)) return false
  if (fields.query !== undefined) return isMasked(statementOutputs(fields.query, walk))
  const relation = isFields(fields.relation) ? fields.relation : {}
  const { columns, rest } = walk.ground.relation(text(relation.relname) ?? '', text(relation.schemaname))
  return rest !== undefined || isMasked(columns)
}

/** ALTER TABLE … TYPE … USING fills a column from others. */
function rewrites(fields: Fields, walk: Walk): string | undefined {
  const relation = isFields(fields.relation) ? fields.relation : {}
  const name = text(relation.relname) ?? ''
  const { columns } = walk.ground.relation(name, text(relation.schemaname))
  const scope = writingScope({ relation }, undefined, walk)
  const stores = list(fields.cmds).some((command) => {
    const one = fieldsOf(command, 'AlterTableCmd')
    const using = fieldsOf(one?.def, 'ColumnDef')?.raw_default
    if (one?.subtype !== 'AT_AlterColumnType' || using === undefined) return false
    const column = columns.find((candidate) => candidate.name === text(one.name))
    return column?.style === undefined && walk.expression(using, scope) !== undefined
  })
  return stores ? `in ${name}` : undefined
}

function blockMentions(fields: Fields, { mentionsMasked }: StoringContext): boolean {
  const given = options(fields.args)
  const language = given.find(({ name }) => name === 'language')
  if (language !== undefined && (optionText(language.value) ?? '').toLowerCase() !== 'plpgsql') return true
  const body = given.find(({ name }) => name === 'as')
  return body === undefined || mentionsMasked(optionText(body.value) ?? '')
}

/** A call like set_config(…) with anything masked. */
function callsStoring(value: unknown, context: StoringContext, around?: Scope): boolean {
  if (Array.isArray(value)) return value.some((item) => callsStoring(item, context, around))
  if (!isFields(value)) return false
  const node = unwrap(value)
  const scope = node === undefined ? around : (scopeOf(node.type, node.fields, around, context.walk) ?? around)
  if (node !== undefined && keeps(node.type, node.fields, context) && isGivenMasked(value, scope, context)) return true
  return Object.values(value).some((item) => callsStoring(item, context, scope))
}

/** What names mean inside a query; undefined: it is none. */
function scopeOf(type: string, fields: Fields, around: Scope | undefined, walk: Walk): Scope | undefined {
  if (type !== 'SelectStmt')
    return ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'].includes(type)
      ? writingScope(fields, around, walk)
      : undefined
  const scope = createScope(around)
  addTables(scope, fields.withClause, walk)
  addFrom(scope, list(fields.fromClause), walk)
  return scope
}

function isGivenMasked(value: unknown, scope: Scope | undefined, { walk }: StoringContext): boolean {
  const given = inside(value)
  if (scope !== undefined && walk.expression(given, scope) !== undefined) return true
  // Outside of queries (an index, a policy) nobody says what a name means.
  return (scope === undefined && readsColumns(given)) || callsSuspects(given, walk.ground)
}

function anyKeeps(value: unknown, context: StoringContext): boolean {
  if (Array.isArray(value)) return value.some((item) => anyKeeps(item, context))
  if (!isFields(value)) return false
  const node = unwrap(value)
  if (node !== undefined && keeps(node.type, node.fields, context)) return true
  return Object.values(value).some((item) => anyKeeps(item, context))
}

function keeps(type: string, fields: Fields, { storing }: StoringContext): boolean {
  const last = (names: unknown) => nameOf(names)?.name ?? ''
  switch (type) {
    case 'FuncCall':
      return storesAnything.has(last(fields.funcname)) || storing.functions.has(last(fields.funcname))
    case 'A_Expr':
      return storing.operators.has(last(fields.name))
    case 'TypeCast':
      return isFields(fields.typeName) && storing.types.has(last(fields.typeName.names))
    case 'ColumnRef':
      // `item.function` calls it.
      return list(fields.fields).length > 1 && storing.functions.has(last(fields.fields))
    case 'A_Indirection':
      return list(fields.indirection).some((step) => storing.functions.has(last([step])))
    default:
      return false
  }
}

/** What is given to a call, without the call itself. */
function inside(value: unknown): unknown {
  const node = unwrap(value)
  if (node === undefined || node.type === 'ColumnRef') return value
  return node.type === 'FuncCall' ? [node.fields.args, node.fields.agg_order] : Object.values(node.fields)
}

/** A prepared SELECT that calls nothing of users' and writes nothing. */
function isQuiet(tree: unknown): boolean {
  const select = fieldsOf(tree, 'SelectStmt')
  return select !== undefined && !JSON.stringify(select).includes('"FuncCall"') && select.withClause === undefined
}

function readsColumns(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(readsColumns)
  if (!isFields(value)) return false
  return 'ColumnRef' in value || 'SubLink' in value || Object.values(value).some(readsColumns)
}
