/** Where a statement is resolved: what may be asked, and what is known of the session it runs in. */
import type { Catalog } from './catalog.ts'
import type { Context } from './context.ts'
import type { FunctionFacts, RelationFacts } from './meanings.ts'
import type { Pending } from './pending.ts'
import type { Reading } from './reading.ts'

export interface World {
  readonly catalog: Catalog
  readonly pending: Pending
  readonly context: Context
  readonly serverVersion: number
  /** search_path as this session has set it; null: to what cannot be known; undefined: never. */
  readonly searchPath: string | null | undefined
  /** What a prepared statement does; undefined when there is none of that name, or when it cannot be known. */
  prepared(name: string): readonly Reading[] | undefined
}

/** Something to look at. */
export interface Item {
  readonly reading: Reading
  /** Part of a view: what it reads is the view's business, what else it does is not. */
  readonly quiet: boolean
}

export function isTemporary({ schema }: { readonly schema: string }): boolean {
  return /^pg_temp(_|$)/.test(schema)
}

export function shown(found: RelationFacts | FunctionFacts): string {
  return `${isTemporary(found) ? 'pg_temp' : found.schema}.${found.name}`
}
