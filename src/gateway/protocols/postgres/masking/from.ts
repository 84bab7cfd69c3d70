/** FROM: what each thing in it offers by name, and what `*` stands for. */
import type { MaskStyle } from '../../../checkpoint.ts'
import { type Fields, fieldsOf, isFields, list, nameOf, stringOf, text, unwrap } from '../sql/nodes.ts'
import { derived, type OutColumn, type Output, strictestOf } from './ground.ts'
import { createScope, findTable, type Item, itemOf, type Scope, starOf, unordered } from './scope.ts'
import { strictest } from './strictness.ts'
import type { Walk } from './walk.ts'

/** Adds what the nodes offer, from left to right: LATERAL sees what stands before it. */
export function addFrom(scope: Scope, nodes: readonly unknown[], walk: Walk): void {
  for (const node of nodes) scope.star.push(...addOne(scope, node, walk))
}

/** Adds one thing; answers what it contributes to `*`. */
function addOne(scope: Scope, value: unknown, walk: Walk): readonly Output[] {
  const node = unwrap(value)
  const fields = node?.fields ?? {}
  switch (node?.type) {
    case 'RangeVar':
      return addItem(scope, relationItem(scope, fields, walk))
    case 'RangeSubselect': {
      const outputs = walk.query(fields.subquery, fields.lateral === true ? scope : outside(scope))
      return addItem(scope, itemOf(aliasOf(fields), outputs, aliasNames(fields)))
    }
    case 'RangeFunction':
      return addItem(scope, functionItem(scope, fields, walk))
    case 'JoinExpr':
      return addJoin(scope, fields, walk)
    case 'RangeTableSample':
      return addOne(scope, fields.relation, walk)
    default: {
      // XMLTABLE, JSON_TABLE and whatever else: its columns are made of what stands inside it.
      const style = derived(walk.expression(Object.values(fields), scope))
      return addItem(scope, unordered(aliasOf(fields), style))
    }
  }
}

/** Without LATERAL a subquery in FROM does not see its neighbours, only the common table expressions and what is around. */
function outside(scope: Scope): Scope {
  const shielded = createScope(scope.parent)
  for (const [name, outputs] of scope.tables) shielded.tables.set(name, outputs)
  return shielded
}

function addItem(scope: Scope, item: Item): readonly Output[] {
  scope.items.push(item)
  return starOf(item)
}

function aliasOf(fields: Fields): string | undefined {
  return isFields(fields.alias) ? text(fields.alias.aliasname) : undefined
}

function aliasNames(fields: Fields): readonly string[] {
  return isFields(fields.alias) ? list(fields.alias.colnames).map((name) => stringOf(name) ?? '') : []
}

export function relationItem(scope: Scope, fields: Fields, walk: Walk): Item {
  const name = text(fields.relname) ?? ''
  const schema = text(fields.schemaname)
  const alias = aliasOf(fields) ?? name
  const table = schema === undefined ? findTable(scope, name) : undefined
  if (table !== undefined) return itemOf(alias, table, aliasNames(fields))
  const { columns, exact, ordered, rest } = walk.ground.relation(name, schema)
  const names = aliasNames(fields)
  if (names.length === 0) return { alias, columns, exact, ordered, rest }
  return ordered ? itemOf(alias, columns, names) : unordered(alias, strictest(strictestOf(columns), rest))
}

function functionItem(scope: Scope, fields: Fields, walk: Walk): Item {
  const calls = list(fields.functions)
  const style = derived(walk.expression(calls, scope))
  const definitions = list(fields.coldeflist).map((definition) => text(fieldsOf(definition, 'ColumnDef')?.colname))
  const first = fieldsOf(list(calls[0])[0], 'FuncCall')
  const alias = aliasOf(fields) ?? nameOf(first?.funcname)?.name
  // A function may give one column or many: whatever it is called, it is made of the arguments.
  const columns = definitions.map((name) => ({ name, style }))
  return { ...unordered(alias, style), columns }
}

function addJoin(scope: Scope, fields: Fields, walk: Walk): readonly Output[] {
  const alias = aliasOf(fields)
  // An alias of a join hides the names inside it; LATERAL on its right side sees its left side all the same.
  const inner = alias === undefined ? scope : { ...scope, items: [...scope.items] }
  const left = addOne(inner, fields.larg, walk)
  const right = addOne(inner, fields.rarg, walk)
  const using = list(fields.usingClause).map((name) => stringOf(name) ?? '')
  const star = fields.isNatural === true ? [merged(left, right)] : joinedStar(left, right, using)
  if (using.length > 0 && isFields(fields.join_using_alias)) {
    const shared = star.slice(0, using.length)
    scope.items.push(itemOf(text(fields.join_using_alias.aliasname), shared))
  }
  if (alias === undefined) return star
  const item = itemOf(alias, star, aliasNames(fields))
  scope.items.push(item)
  return starOf(item)
}

function merged(left: readonly Output[], right: readonly Output[]): Output {
  return { run: strictest(strictestOf(left), strictestOf(right)) }
}

/** Columns named in USING come first and once. */
function joinedStar(left: readonly Output[], right: readonly Output[], using: readonly string[]): readonly Output[] {
  if (using.length === 0) return [...left, ...right]
  const all = [...left, ...right]
  if (all.some((output) => 'run' in output || output.name === undefined)) return [merged(left, right)]
  const columns = all.filter((output): output is OutColumn => !('run' in output))
  const shared = using.map((name) => ({ name, style: styleOfName(columns, name) }))
  return [...shared, ...columns.filter(({ name }) => !using.includes(name ?? ''))]
}

function styleOfName(columns: readonly OutColumn[], wanted: string): MaskStyle | undefined {
  let style: MaskStyle | undefined
  for (const column of columns) if (column.name === wanted) style = strictest(style, column.style)
  return style
}
