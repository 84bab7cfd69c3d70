/**
 * What one statement does, as far as its text says: names are still as written. resolve.ts asks the catalog what they
 * mean, and adds what is behind them (function bodies, views, rules, triggers).
 */
import type { Kind, reaches } from '../../../../contract/command.ts'
import type { TriggerEvent } from './meanings.ts'
import type { Name } from './nodes.ts'

export type Reach = (typeof reaches)[number]

export interface PlannedAction {
  readonly verb: string
  readonly kind: Kind
  /** Relations, whose schema can be looked up. */
  readonly relations?: readonly Name[]
  /** Other objects, as they are to be shown. */
  readonly objects?: readonly string[]
  readonly unbounded?: boolean
  /** Rows of the relations change: their rules and triggers run. */
  readonly events?: readonly TriggerEvent[]
}

export interface Call {
  readonly name: Name
  /** Its arguments that are string constants, by position; undefined where a value has to be computed. */
  readonly literals: readonly (string | undefined)[]
  /** `t.name`, which calls a function `name(t)` when t has no such column: builtins are never meant. */
  readonly asColumn: boolean
  /** The grammar took this for a keyword; servers before this version take it for a function's name. */
  readonly before?: number
}

/** A setting that a statement changes; value null: to what cannot be known. */
export interface SettingChange {
  /** Absent: any setting may change. */
  readonly name?: string
  readonly value: string | null
  readonly local: boolean
}

/** What a statement makes that later statements of the same transaction may use before anybody else can see it. */
export interface Creation {
  readonly type: 'function' | 'relation' | 'type' | 'operator' | 'trigger'
  readonly name: Name
  /** What it does when it is used: a function's body, a view's query, what a trigger or rule on a table runs. */
  readonly body?: Reading
  /** A function that the planner may call: it is declared immutable or stable. Absent: may be. */
  readonly planned?: boolean
}

export interface Reading {
  readonly actions: PlannedAction[]
  /** Relations that are read. */
  readonly reads: Name[]
  readonly calls: Call[]
  /** Functions that are called by their OID. */
  readonly functionOids: number[]
  readonly operators: Set<string>
  readonly types: Name[]
  readonly reaches: Set<Reach>
  readonly settings: SettingChange[]
  readonly creations: Creation[]
  /** Prepared statements that are run, by name. */
  readonly executes: string[]
  /** Prepared statements that are made, by name. */
  readonly prepares: string[]
  dynamic: boolean
  /** It changes what names mean in a way that `creations` does not tell. */
  opaque: boolean
  /** Names without a schema may be found in other schemas than before. */
  reshuffles: boolean
  /** It is, or may be, the start of temporary objects, which come before all others of their name. */
  temporary: boolean
}

export function createReading(): Reading {
  return {
    actions: [],
    reads: [],
    calls: [],
    functionOids: [],
    operators: new Set(),
    types: [],
    reaches: new Set(),
    settings: [],
    creations: [],
    executes: [],
    prepares: [],
    dynamic: false,
    opaque: false,
    reshuffles: false,
    temporary: false,
  }
}

/** What runs cannot be known before it runs, so it may be anything: the worst kind. */
export function readDynamic(out: Reading, objects: readonly string[] = []): void {
  out.dynamic = true
  out.opaque = true
  out.temporary = true
  out.settings.push({ value: null, local: false })
  out.actions.push({ verb: 'EXECUTE', kind: 'admin', objects })
}

/** The relations read, as an action of their own, behind what the statement mainly does. */
export function finish(out: Reading, verb = 'SELECT'): Reading {
  if (out.reads.length > 0 && !out.actions.some((action) => action.verb === verb && action.kind === 'read'))
    out.actions.push({ verb, kind: 'read', relations: out.reads })
  return out
}
