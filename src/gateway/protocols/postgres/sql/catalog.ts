/**
 * What names mean at the target, asked of its catalog over the side connection and remembered: functions, operators,
 * types and relations by name, with every schema they occur in. One catalog a conversation: it also keeps what this
 * session's own open transaction has changed, which nobody else can see yet.
 */
import type { OpenSideConnection } from '../parts.ts'

/** How a function is known. Built in means: made by initdb, so its code is PostgreSQL's own. */
export interface FunctionFacts {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly builtIn: boolean
  readonly volatility: 'immutable' | 'stable' | 'volatile'
  readonly securityDefiner: boolean
  readonly language: string
  /** Name of the extension that it belongs to. */
  readonly extension: string | null
  /** For sql and plpgsql: the whole CREATE FUNCTION statement. */
  readonly definition: string | null
  /** Functions that it is made of (an aggregate's transition and final function), by OID. */
  readonly parts: readonly number[]
}

export interface RelationFacts {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** pg_class.relkind: r table, p partitioned, v view, m materialized view, f foreign table, S sequence … */
  readonly relkind: string
  readonly builtIn: boolean
  /** Views and materialized views: the SELECT behind them. */
  readonly definition: string | null
  /** CREATE RULE statements of its rules other than a view's own. */
  readonly rules: readonly string[]
  readonly triggers: readonly { readonly functionOid: number; readonly events: readonly TriggerEvent[] }[]
  /** Foreign tables: name of the wrapper (`postgres_fdw`, `file_fdw`). */
  readonly wrapper: string | null
}
export type TriggerEvent = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE'

export interface Catalog {
  /** Rises whenever something that was answered before may now be answered differently. */
  readonly generation: number
  /** Everything with one of these names, in whatever schema. Rejects when the target cannot be asked. */
  lookup(names: CatalogNames): Promise<CatalogAnswer>
  /** Everything learnt is stale: asked anew next time. */
  invalidate(): void
}

export interface CatalogNames {
  readonly relations?: readonly string[]
  readonly functions?: readonly string[]
  readonly functionOids?: readonly number[]
  readonly operators?: readonly string[]
  readonly types?: readonly string[]
}

export interface CatalogAnswer {
  readonly relations: readonly RelationFacts[]
  readonly functions: readonly FunctionFacts[]
  /** Functions behind operators that users made, by operator name. */
  readonly operators: ReadonlyMap<string, readonly number[]>
  /** Functions that run when a value becomes one of a type that users made (casts, domain checks), by type name. */
  readonly types: ReadonlyMap<string, readonly number[]>
  /** Schemas searched for names without one, in order, before any SET search_path. */
  readonly searchPath: readonly string[]
}

export type CreateCatalog = (open: OpenSideConnection) => Catalog
