/** What resolving a statement collects: actions, functions, reaches; and in the end its facts. */
import { type Action, type Facts, kinds } from '../../../../contract/command.ts'
import { display } from './objects.ts'
import type { PlannedAction, Reach, SettingChange } from './reading.ts'

export interface Resolved {
  readonly actions: readonly [Action, ...Action[]]
  readonly facts: Facts
  /** Planning runs something that does more than read (parts.ts: Statement.eager). */
  readonly eager: boolean
  /** Settings that something behind the names changes (set_config). */
  readonly settings: readonly SettingChange[]
}

export interface Outcome {
  readonly actions: Action[]
  readonly functions: Set<string>
  readonly reaches: Set<Reach>
  readonly settings: SettingChange[]
  dynamic: boolean
  /** search_path changes while it runs: names may be found in any schema. */
  moved: boolean
  /** The planner may call one of the functions: it is declared immutable or stable. */
  planned: boolean
  add(action: Omit<Action, 'objects'> & { readonly objects: readonly string[] }): void
  resolved(): Resolved
}

export function createOutcome(): Outcome {
  const actions: Action[] = []
  const seen = new Set<string>()
  const outcome: Outcome = {
    actions,
    functions: new Set(),
    reaches: new Set(),
    settings: [],
    dynamic: false,
    moved: false,
    planned: false,
    add({ verb, kind, objects, unbounded }) {
      const action = { verb, kind, objects: [...new Set(objects)], unbounded }
      const key = JSON.stringify(action)
      if (!seen.has(key)) actions.push(action)
      seen.add(key)
    },
    resolved() {
      const [first = { verb: 'UNPARSED', kind: 'admin' as const, objects: [], unbounded: false }, ...rest] = actions
      const all: [Action, ...Action[]] = [first, ...rest]
      const kind = kinds.find((kind) => all.some((action) => action.kind === kind)) ?? 'admin'
      return {
        actions: all,
        eager: outcome.planned && (kind !== 'read' || outcome.dynamic),
        facts: {
          kind,
          unbounded: all.some((action) => action.unbounded),
          dynamic: outcome.dynamic,
          parsed: true,
          functions: [...outcome.functions].toSorted(),
          reaches: [...outcome.reaches],
        },
        settings: outcome.settings,
      }
    },
  }
  return outcome
}

/** The worst class, for what cannot be found out. */
export function unknown(out: Outcome, what: string): void {
  out.dynamic = true
  out.add({ verb: 'CALL', kind: 'admin', objects: [what], unbounded: false })
}

export function plainly(action: PlannedAction): Action {
  const objects = [...(action.objects ?? []), ...(action.relations ?? []).map(display)]
  return { verb: action.verb, kind: action.kind, objects, unbounded: action.unbounded ?? false }
}
