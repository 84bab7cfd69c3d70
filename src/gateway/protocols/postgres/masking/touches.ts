/**
 * Does a statement come near anything masked at all? Most do not, and need no lineage. Looks at every name of a relation,
 * function, operator and type anywhere in the tree; a name that nobody knows counts as masked.
 */
import { isFields, list, nameOf, stringOf } from '../sql/nodes.ts'
import { type Ground, strictestOf } from './ground.ts'

export function touchesMasked(value: unknown, ground: Ground): boolean {
  if (Array.isArray(value)) return value.some((item) => touchesMasked(item, ground))
  if (!isFields(value)) return false
  if (typeof value.relname === 'string') {
    const { columns, rest, hasRules, touches } = ground.relation(value.relname, schemaOf(value.schemaname))
    if (touches || rest !== undefined || hasRules || strictestOf(columns) !== undefined) return true
  }
  if (value.funcname !== undefined && ground.suspectsFunction(nameOf(value.funcname)?.name ?? '')) return true
  // `item.function` and `(item).function` call it.
  for (const part of [...list(value.fields), ...list(value.indirection)])
    if (ground.suspectsFunction(stringOf(part) ?? '')) return true
  if (value.kind !== undefined && ground.suspectsOperator(nameOf(value.name)?.name ?? '')) return true
  if (isFields(value.typeName) && ground.suspectsType(nameOf(value.typeName.names)?.name ?? '')) return true
  // What these show was said by another statement.
  if ('ExecuteStmt' in value || 'FetchStmt' in value || 'CallStmt' in value) return true
  return Object.values(value).some((item) => touchesMasked(item, ground))
}

/** Does it call a function that may read masked tables, and so do anything with them? */
export function callsSuspects(tree: unknown, ground: Ground): boolean {
  const [type] = Object.keys(isFields(tree) ? tree : {})
  if (type === 'ExecuteStmt' || type === 'FetchStmt') return false
  return touchesMasked(tree, { ...ground, relation: () => nothingMasked })
}

const nothingMasked = {
  columns: [],
  exact: true,
  ordered: true,
  rest: undefined,
  touches: false,
  hasRules: false,
}

function schemaOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
