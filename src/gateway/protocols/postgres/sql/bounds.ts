/**
 * Does a WHERE limit what an UPDATE or DELETE touches? Not when it is always true, nor when it asks nothing of the rows
 * themselves: `WHERE true`, `1 = 1`, `id = id`, `id IS NOT NULL`, `now() > '2000-01-01'`, `EXISTS (SELECT 1)`. Whether a
 * real condition fits every row (`id > -1`) only the target could say; the planner's estimate in an approval does.
 */
import { type Fields, fieldsOf, isFields, list, stringOf, text, unwrap } from './nodes.ts'

/** always, never: whatever the row. loose: it asks nothing of the row. bound: it depends on the row. */
type Bound = 'always' | 'never' | 'loose' | 'bound'

export interface RowNames {
  /** Name under which the rows that change are known: the alias, if there is one. */
  readonly target: string
  /** Name of the relation itself. */
  readonly relation: string
  /** Other names of the same relation, joined to itself. */
  readonly twins: ReadonlySet<string>
  /** Other relations are joined: an unqualified column may be theirs. */
  readonly joined: boolean
  /** Names that are variables or parameters, not columns. */
  readonly variables: ReadonlySet<string>
}

export function isUnbounded(where: unknown, names: RowNames): boolean {
  if (where === undefined) return true
  const bound = judge(where, names)
  return bound === 'always' || bound === 'loose'
}

function judge(node: unknown, names: RowNames): Bound {
  const found = unwrap(node)
  if (found === undefined) return 'loose'
  const { type, fields } = found
  if (type === 'CurrentOfExpr') return 'bound'
  if (type === 'A_Const') return constant(fields)
  if (type === 'TypeCast') return judge(fields.arg, names)
  if (type === 'BoolExpr') return boolean(fields, names)
  if (type === 'BooleanTest') return booleanTest(fields, names)
  // `IS NOT NULL` holds for every row of most columns; `IS NULL` is a condition like others.
  if (type === 'NullTest') return fields.nulltesttype === 'IS_NOT_NULL' ? 'loose' : columnsBound(fields.arg, names)
  if (type === 'CaseExpr') return caseOf(fields, names)
  if (type === 'CoalesceExpr') return worst(list(fields.args).map((arg) => judge(arg, names)))
  if (type === 'A_Expr') return comparison(fields, names)
  if (type === 'SubLink') return subquery(fields, names)
  return columnsBound(node, names)
}

function constant(fields: Fields): Bound {
  if (isFields(fields.boolval)) return fields.boolval.boolval === true ? 'always' : 'never'
  if (fields.isnull === true) return 'never'
  return 'loose'
}

function boolean(fields: Fields, names: RowNames): Bound {
  const parts = list(fields.args).map((arg) => judge(arg, names))
  if (fields.boolop === 'NOT_EXPR') {
    const [part = 'loose'] = parts
    // `NOT (id IS NULL)` is `id IS NOT NULL`.
    if (isNullTest(list(fields.args)[0])) return 'loose'
    return negate(part)
  }
  if (fields.boolop === 'AND_EXPR') {
    if (parts.includes('never')) return 'never'
    return parts.includes('bound') ? 'bound' : worst(parts)
  }
  if (fields.boolop !== 'OR_EXPR') return 'loose'
  if (areComplements(list(fields.args), names)) return 'always'
  return parts.every((part) => part === 'never') ? 'never' : worst(parts)
}

function negate(bound: Bound): Bound {
  if (bound === 'always') return 'never'
  return bound === 'never' ? 'always' : bound
}

function worst(parts: readonly Bound[]): Bound {
  for (const bound of ['always', 'loose', 'bound'] as const) if (parts.includes(bound)) return bound
  return parts.includes('never') ? 'never' : 'loose'
}

function booleanTest(fields: Fields, names: RowNames): Bound {
  const inner = judge(fields.arg, names)
  switch (fields.booltesttype) {
    case 'IS_TRUE':
    case 'IS_NOT_FALSE':
      return inner
    case 'IS_FALSE':
    case 'IS_NOT_TRUE':
      return negate(inner)
    case 'IS_UNKNOWN':
      return columnsBound(fields.arg, names)
    default:
      return 'loose'
  }
}

function caseOf(fields: Fields, names: RowNames): Bound {
  const results = list(fields.args).map((when) => judge(fieldsOf(when, 'CaseWhen')?.result, names))
  return worst([...results, fields.defresult === undefined ? 'never' : judge(fields.defresult, names)])
}

function comparison(fields: Fields, names: RowNames): Bound {
  const operator = stringOf(list(fields.name).at(-1)) ?? ''
  const { lexpr, rexpr } = fields
  if (isNull(lexpr) || isNull(rexpr)) {
    // `IS NOT NULL` and `IS NULL` in other words.
    if (fields.kind === 'AEXPR_DISTINCT') return 'loose'
    if (fields.kind === 'AEXPR_NOT_DISTINCT') return columnsBound([lexpr, rexpr], names)
  }
  const left = canonical(lexpr, names)
  if (lexpr !== undefined && left === canonical(rexpr, names))
    return ['<>', '!=', '<', '>'].includes(operator) && fields.kind === 'AEXPR_OP' ? 'never' : 'always'
  // `a || '' = a`, `id + 0 = id`: the same columns on both sides limit little, if anything.
  const [ours, theirs] = [columns(lexpr, names), columns(rexpr, names)]
  if (ours.length > 0 && sameColumns(ours, theirs)) return 'loose'
  // `id IN (id, 1)`, `id = ANY (ARRAY[id])`, `id BETWEEN id AND id`.
  if (elements(rexpr).some((element) => canonical(element, names) === left)) return 'loose'
  if (/^~~\*?$/.test(operator) && matchesEverything(rexpr)) return 'loose'
  // A condition compared with a constant: `(true OR id = 1) = true`, `(id = id) IS DISTINCT FROM false`.
  for (const [side, other] of [
    [lexpr, theirs],
    [rexpr, ours],
  ] as const)
    if (isCondition(side) && other.length === 0 && judge(side, names) !== 'bound') return 'loose'
  return [...ours, ...theirs].some((column) => column.limits) ? 'bound' : 'loose'
}

function isNullTest(node: unknown): boolean {
  const other = fieldsOf(node, 'A_Expr')
  if (other?.kind === 'AEXPR_NOT_DISTINCT') return isNull(other.lexpr) || isNull(other.rexpr)
  return fieldsOf(node, 'NullTest')?.nulltesttype === 'IS_NULL'
}

function isNull(node: unknown): boolean {
  const cast = fieldsOf(node, 'TypeCast')
  return cast === undefined ? fieldsOf(node, 'A_Const')?.isnull === true : isNull(cast.arg)
}

function isCondition(node: unknown): boolean {
  return ['BoolExpr', 'A_Expr', 'NullTest', 'BooleanTest', 'SubLink'].includes(unwrap(node)?.type ?? '')
}

function elements(node: unknown): readonly unknown[] {
  const array = fieldsOf(node, 'A_ArrayExpr')
  return array === undefined ? list(node) : list(array.elements)
}

function matchesEverything(pattern: unknown): boolean {
  const fields = fieldsOf(pattern, 'A_Const')
  return fields !== undefined && isFields(fields.sval) && /^%+$/.test(text(fields.sval.sval) ?? '')
}

/** `a = 1 OR a <> 1`: together every row (but for NULL). */
function areComplements(parts: readonly unknown[], names: RowNames): boolean {
  const opposite: Readonly<Record<string, string>> = {
    '=': '<>',
    '<>': '=',
    '<': '>=',
    '>=': '<',
    '>': '<=',
    '<=': '>',
  }
  const seen = new Set<string>()
  for (const part of parts) {
    const plain = canonical(part, names)
    const inverted = fieldsOf(part, 'BoolExpr')
    if (inverted?.boolop === 'NOT_EXPR' && seen.has(canonical(list(inverted.args)[0], names))) return true
    const fields = fieldsOf(part, 'A_Expr')
    const operator = stringOf(list(fields?.name).at(-1)) ?? ''
    const other = opposite[operator]
    if (fields !== undefined && other !== undefined) {
      const turned = { A_Expr: { ...fields, name: [{ String: { sval: other } }] } }
      if (seen.has(canonical(turned, names))) return true
    }
    seen.add(plain)
    seen.add(canonical({ BoolExpr: { boolop: 'NOT_EXPR', args: [part] } }, names))
  }
  return parts.some((part) => {
    const inverted = fieldsOf(part, 'BoolExpr')
    return inverted?.boolop === 'NOT_EXPR' && seen.has(canonical(list(inverted.args)[0], names))
  })
}

/**
 * A subquery limits the rows when they are compared with it, or when it speaks of them by name. What it says of the same
 * table alone (`id IN (SELECT id FROM same)`) limits no more than its own WHERE does.
 */
function subquery(fields: Fields, names: RowNames): Bound {
  const select = fieldsOf(fields.subselect, 'SelectStmt')
  if (select === undefined) return 'loose'
  const compared = columns(fields.testexpr, names).some((column) => column.limits)
  if (!compared && !mentionsTarget(select, names)) return 'loose'
  const from = list(select.fromClause)
  const only = fieldsOf(from[0], 'RangeVar')
  if (from.length !== 1 || only === undefined || text(only.relname) !== names.relation) return 'bound'
  if (select.limitCount !== undefined) return compared ? 'bound' : 'loose'
  const inner: RowNames = {
    ...names,
    target: isFields(only.alias) ? (text(only.alias.aliasname) ?? '') : names.relation,
    twins: new Set([...names.twins, names.target]),
    joined: false,
  }
  return isUnbounded(select.whereClause, inner) ? 'loose' : 'bound'
}

/**
 * Unqualified names inside a subquery belong to its own tables for all that can be told: only `target.column` counts, and
 * only where the subquery does not give that name to a table of its own.
 */
function mentionsTarget(node: unknown, names: RowNames): boolean {
  if (Array.isArray(node)) return node.some((item) => mentionsTarget(item, names))
  if (!isFields(node)) return false
  if (list(node.fromClause).some((item) => visibleNames(item).includes(names.target))) return false
  const column = fieldsOf(node, 'ColumnRef')
  if (column !== undefined) {
    const parts = list(column.fields).map(stringOf)
    return parts.length > 1 && parts.at(-2) === names.target
  }
  return Object.values(node).some((value) => mentionsTarget(value, names))
}

function visibleNames(item: unknown): readonly string[] {
  const { fields } = unwrap(item) ?? {}
  if (fields === undefined) return []
  const own = isFields(fields.alias) ? text(fields.alias.aliasname) : text(fields.relname)
  return [...(own === undefined ? [] : [own]), ...visibleNames(fields.larg), ...visibleNames(fields.rarg)]
}

function columnsBound(node: unknown, names: RowNames): Bound {
  return columns(node, names).some((column) => column.limits) ? 'bound' : 'loose'
}

interface Column {
  readonly name: string
  /** It is a column of the rows that change, for certain. */
  readonly limits: boolean
}

/** Columns that an expression depends on. */
function columns(node: unknown, names: RowNames): readonly Column[] {
  if (Array.isArray(node)) return node.flatMap((item) => columns(item, names))
  if (!isFields(node)) return []
  const link = fieldsOf(node, 'SubLink')
  if (link !== undefined) {
    const speaks = mentionsTarget(link.subselect, names)
    return [...columns(link.testexpr, names), ...(speaks ? [{ name: '(subquery)', limits: true }] : [])]
  }
  const column = fieldsOf(node, 'ColumnRef')
  if (column === undefined) return Object.values(node).flatMap((value) => columns(value, names))
  const found = columnOf(column, names)
  return found === undefined ? [] : [found]
}

function columnOf(column: Fields, names: RowNames): Column | undefined {
  const parts = list(column.fields).map((part) => stringOf(part) ?? '*')
  const [first = ''] = parts
  if (samePerRow.has(parts.at(-1) ?? '')) return { name: parts.at(-1) ?? '', limits: false }
  if (parts.length === 1) return names.variables.has(first) ? undefined : { name: first, limits: !names.joined }
  const table = parts.at(-2) ?? ''
  if (table === names.target) return { name: parts.at(-1) ?? '', limits: true }
  if (names.twins.has(table)) return { name: parts.at(-1) ?? '', limits: false }
  return names.variables.has(first) ? undefined : { name: parts.join('.'), limits: false }
}

/** All rows of a table have the same one, or most do. */
const samePerRow = new Set(['tableoid', 'xmin', 'xmax', 'cmin', 'cmax'])

function sameColumns(ours: readonly Column[], theirs: readonly Column[]): boolean {
  const [left, right] = [new Set(ours.map(({ name }) => name)), new Set(theirs.map(({ name }) => name))]
  return left.size === right.size && [...left].every((name) => right.has(name))
}

/** The same text for the same expression, wherever it stands and however its columns are qualified. */
function canonical(node: unknown, names: RowNames): string {
  const plain = (key: string, value: unknown): unknown => {
    if (key === 'location') return undefined
    const column = fieldsOf(value, 'ColumnRef')
    return column === undefined ? value : { column: columnOf(column, names)?.name ?? list(column.fields).map(stringOf) }
  }
  return JSON.stringify(node, plain) ?? ''
}
