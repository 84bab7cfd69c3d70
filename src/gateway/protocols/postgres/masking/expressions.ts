/**
 * How the value of an expression must be masked. Whatever is not known here is looked through for column references and
 * queries: an expression over a masked column is masked, whatever it does with it.
 */
import type { MaskStyle } from '../../../checkpoint.ts'
import { type Fields, isFields, list, nameOf, stringOf, unwrap } from '../sql/nodes.ts'
import { counting } from './builtins.ts'
import { derived, type OutColumn, type Output, strictestOf } from './ground.ts'
import { resolveColumn, resolveStar, type Scope } from './scope.ts'
import { strictest } from './strictness.ts'
import type { Walk } from './walk.ts'

export function expressionStyle(value: unknown, scope: Scope, walk: Walk): MaskStyle | undefined {
  if (Array.isArray(value)) {
    let found: MaskStyle | undefined
    for (const item of value) found = strictest(found, derived(walk.expression(item, scope)))
    return found
  }
  if (!isFields(value)) return undefined
  const node = unwrap(value)
  if (node === undefined) return expressionStyle(Object.values(value), scope, walk)
  const { type, fields } = node
  switch (type) {
    case 'ColumnRef':
      return referenceStyle(fields, scope, walk)
    case 'A_Const':
    case 'ParamRef':
      return undefined
    case 'TypeCast':
      return castStyle(fields, scope, walk)
    case 'CollateClause':
      return walk.expression(fields.arg, scope)
    case 'SubLink':
      return subqueryStyle(fields, scope, walk)
    case 'FuncCall':
      return callStyle(fields, scope, walk)
    case 'A_Indirection':
      if (list(fields.indirection).some((part) => walk.ground.suspectsFunction(stringOf(part) ?? ''))) return 'redact'
      return expressionStyle(Object.values(fields), scope, walk)
    case 'A_Expr':
      if (walk.ground.suspectsOperator(nameOf(fields.name)?.name ?? '')) return 'redact'
      return expressionStyle(Object.values(fields), scope, walk)
    case 'SelectStmt':
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt':
      return derived(strictestOf(walk.query(value, scope)))
    default:
      return expressionStyle(Object.values(fields), scope, walk)
  }
}

function path(fields: Fields): { readonly names: readonly string[]; readonly star: boolean } {
  const parts = list(fields.fields)
  const star = unwrap(parts.at(-1))?.type === 'A_Star'
  return { names: (star ? parts.slice(0, -1) : parts).map((part) => stringOf(part) ?? ''), star }
}

function referenceStyle(fields: Fields, scope: Scope, walk: Walk): MaskStyle | undefined {
  const { names, star } = path(fields)
  if (!star) return columnOf(names, scope, walk).style
  return derived(strictestOf(starOutputs(names, scope)))
}

function columnOf(names: readonly string[], scope: Scope, walk: Walk): OutColumn {
  const { certain, ...column } = resolveColumn(scope, names)
  // `item.function` calls it.
  if (!certain && walk.ground.suspectsFunction(column.name ?? '')) return { ...column, style: 'redact' }
  return column
}

function starOutputs(names: readonly string[], scope: Scope): readonly Output[] {
  const alias = names.at(-1)
  return alias === undefined ? scope.star : resolveStar(scope, alias)
}

function castStyle(fields: Fields, scope: Scope, walk: Walk): MaskStyle | undefined {
  const inner = walk.expression(fields.arg, scope)
  const typeName = isFields(fields.typeName) ? fields.typeName : {}
  const type = nameOf(typeName.names)?.name ?? ''
  if (walk.ground.suspectsType(type)) return 'redact'
  // The whole value, as text: it keeps its style.
  const whole =
    ['text', 'varchar'].includes(type) && typeName.typmods === undefined && typeName.arrayBounds === undefined
  return whole ? inner : derived(inner)
}

function subqueryStyle(fields: Fields, scope: Scope, walk: Walk): MaskStyle | undefined {
  const outputs = walk.query(fields.subselect, scope)
  const inner = strictestOf(outputs)
  if (fields.subLinkType === 'EXPR_SUBLINK') return inner
  return derived(strictest(inner, walk.expression(fields.testexpr, scope)))
}

function callStyle(fields: Fields, scope: Scope, walk: Walk): MaskStyle | undefined {
  const name = nameOf(fields.funcname)?.name ?? ''
  if (walk.ground.suspectsFunction(name)) return 'redact'
  // Like a WHERE, these tell how many or at which place, not what.
  if (name === 'count') return undefined
  if (counting.has(name) && fields.agg_within_group !== true) return derived(walk.expression(list(fields.args), scope))
  const { funcname: _name, ...rest } = fields
  return expressionStyle(Object.values(rest), scope, walk)
}

/** Output columns of a target list, also of RETURNING. */
export function targetOutputs(targets: readonly unknown[], scope: Scope, walk: Walk): readonly Output[] {
  return targets.flatMap((target) => {
    const fields = unwrap(target)?.fields ?? {}
    const value = unwrap(fields.val)
    if (value?.type === 'ColumnRef') {
      const { names, star } = path(value.fields)
      if (star) return starOutputs(names, scope)
      return [named(fields, columnOf(names, scope, walk))]
    }
    // (composite).*
    if (value?.type === 'A_Indirection' && unwrap(list(value.fields.indirection).at(-1))?.type === 'A_Star')
      return [{ run: derived(walk.expression(value.fields.arg, scope)) }]
    return [named(fields, { name: guessName(fields.val), style: walk.expression(fields.val, scope) })]
  })
}

function named(target: Fields, column: OutColumn): OutColumn {
  return typeof target.name === 'string' && target.name !== '' ? { ...column, name: target.name } : column
}

/** The name that PostgreSQL gives an output without one, where that is certain. */
function guessName(value: unknown): string | undefined {
  const node = unwrap(value)
  switch (node?.type) {
    case 'FuncCall':
      return nameOf(node.fields.funcname)?.name
    case 'CoalesceExpr':
      return 'coalesce'
    default:
      return undefined
  }
}
