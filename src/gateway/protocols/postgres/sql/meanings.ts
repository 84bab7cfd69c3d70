/** What the target's catalog says of names, as plain data. */

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
  /** Views: what they stand for, through views inside them too. */
  readonly view: ViewFacts | null
  /** CREATE RULE statements of its rules other than a view's own. */
  readonly rules: readonly string[]
  readonly triggers: readonly { readonly functionOid: number; readonly events: readonly TriggerEvent[] }[]
  /** Functions that its definition calls when its rows change: defaults, generated columns, CHECK, index expressions, WHEN. */
  readonly calls: readonly number[]
  /** Functions that its row security policies call, also when it is read. */
  readonly policyCalls: readonly number[]
  /** Foreign tables: name of the wrapper (`postgres_fdw`, `file_fdw`). */
  readonly wrapper: string | null
}
export interface ViewFacts {
  /** Functions that are called when it is read, by OID; operators' functions too. */
  readonly functionOids: readonly number[]
  /** Relations that it selects from itself. */
  readonly shows: readonly { readonly schema: string; readonly name: string }[]
  /** Of foreign tables that are read: their wrappers. */
  readonly wrappers: readonly string[]
  /** PostgreSQL's own views that are read. */
  readonly builtIns: readonly string[]
}

export type TriggerEvent = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE'

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
  /** Types of these names; for domains the functions that check their values, for others none. */
  readonly types: ReadonlyMap<string, readonly number[]>
  readonly surroundings: Surroundings
}

/** What holds for every statement in the database. */
export interface Surroundings {
  /** Schemas searched for names without one, in order, before any SET search_path. */
  readonly searchPath: readonly string[]
  readonly schemas: ReadonlySet<string>
  readonly user: string
  /** Casts that users made: some run without being named. */
  readonly casts: readonly CastFacts[]
}

interface CastFacts {
  readonly functionOid: number
  /** Name of the type that a value becomes. */
  readonly target: string
  /** pg_cast.castcontext: only where it is written, also when a value is assigned, or anywhere. */
  readonly context: 'explicit' | 'assignment' | 'implicit'
}
