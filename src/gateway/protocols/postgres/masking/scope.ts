/** What names mean at one place of a statement: the things in FROM, the common table expressions, and the query around. */
import type { MaskStyle } from '../../../checkpoint.ts'
import { systemColumns } from './builtins.ts'
import { derived, type OutColumn, type Output, strictestOf } from './ground.ts'
import { strictest } from './strictness.ts'

/** One thing in FROM. */
export interface Item {
  /** undefined: its columns can only be named without it. */
  readonly alias: string | undefined
  readonly columns: readonly OutColumn[]
  /** All names are known. */
  readonly exact: boolean
  /** It is known which columns there are, and in what order. */
  readonly ordered: boolean
  readonly rest: MaskStyle | undefined
}

export interface Scope {
  readonly items: Item[]
  /** What `*` stands for here. */
  readonly star: Output[]
  readonly tables: Map<string, readonly Output[]>
  readonly parent: Scope | undefined
}

export function createScope(parent: Scope | undefined): Scope {
  return { items: [], star: [], tables: new Map(), parent }
}

/** A common table expression of this name, here or around. */
export function findTable(scope: Scope, name: string): readonly Output[] | undefined {
  for (let here: Scope | undefined = scope; here !== undefined; here = here.parent) {
    const found = here.tables.get(name)
    if (found !== undefined) return found
  }
  return undefined
}

export function itemOf(alias: string | undefined, outputs: readonly Output[], names: readonly string[] = []): Item {
  const columns: OutColumn[] = []
  let exact = true
  let rest: MaskStyle | undefined
  for (const output of outputs) {
    if ('run' in output) {
      exact = false
      rest = strictest(rest, output.run)
    } else {
      const name = names[columns.length] ?? output.name
      if (name === undefined) {
        exact = false
        rest = strictest(rest, output.style)
      }
      columns.push({ ...output, name })
    }
  }
  // Names given in order to columns of which it is not known how many there are: any name may be any column.
  if (!exact && names.length > 0) return unordered(alias, strictestOf(outputs))
  return { alias, columns, exact, ordered: exact, rest }
}

/** Something of which nothing is known but how strict its strictest column is. */
export function unordered(alias: string | undefined, rest: MaskStyle | undefined): Item {
  return { alias, columns: [], exact: false, ordered: false, rest }
}

export function wholeItem(item: Item): MaskStyle | undefined {
  return derived(strictest(strictestOf(item.columns), item.rest))
}

export function starOf(item: Item): readonly Output[] {
  return item.ordered ? item.columns : [{ run: strictest(strictestOf(item.columns), item.rest) }]
}

/** How a name was understood. */
export interface Resolved extends OutColumn {
  /** It is a column that is known, or a whole item. */
  readonly certain: boolean
}

/** A column reference without star: `column`, `item.column`, `schema.item.column`, or a whole item as one value. */
export function resolveColumn(scope: Scope, path: readonly string[]): Resolved {
  const name = path.at(-1) ?? ''
  const alias = path.at(-2)
  return alias === undefined ? resolveBare(scope, name) : resolveQualified(scope, alias, name)
}

function resolveBare(scope: Scope, name: string): Resolved {
  let style: MaskStyle | undefined
  let guessed = systemColumns.has(name)
  for (let here: Scope | undefined = scope; here !== undefined; here = here.parent) {
    let certain = false
    let type: number | undefined
    for (const item of here.items) {
      for (const column of item.columns)
        if (column.name === name) {
          if (column.perhaps === true) guessed = true
          else certain = true
          type = column.type
          style = strictest(style, column.style)
        }
      if (!item.exact) {
        guessed = true
        style = strictest(style, item.rest)
      }
      if (item.alias === name) {
        certain = true
        style = strictest(style, wholeItem(item))
      }
    }
    if (certain) return { name, style, type, certain }
  }
  // Nobody is known to have it: it comes from something whose columns are not all known, or it is masked.
  return { name, style: guessed ? style : 'redact', certain: false }
}

function resolveQualified(scope: Scope, alias: string, name: string): Resolved {
  for (let here: Scope | undefined = scope; here !== undefined; here = here.parent) {
    const items = here.items.filter((item) => item.alias === alias)
    if (items.length === 0) continue
    let found: Resolved = { name, style: undefined, certain: true }
    for (const item of items) {
      const column = item.columns.find((candidate) => candidate.name === name)
      // `item.function` is a way to write `function(item)`.
      const style =
        column === undefined ? otherStyle(item, name) : strictest(column.style, item.exact ? undefined : item.rest)
      found = {
        name,
        style: strictest(found.style, style),
        type: column?.type,
        certain: found.certain && column !== undefined,
      }
    }
    return found
  }
  return { name, style: 'redact', certain: false }
}

function otherStyle(item: Item, name: string): MaskStyle | undefined {
  return item.exact && systemColumns.has(name) ? undefined : strictest(item.rest, wholeItem(item))
}

/** `item.*` */
export function resolveStar(scope: Scope, alias: string): readonly Output[] {
  for (let here: Scope | undefined = scope; here !== undefined; here = here.parent) {
    const items = here.items.filter((item) => item.alias === alias)
    if (items.length > 0) return items.flatMap(starOf)
  }
  return [{ run: 'redact' }]
}
