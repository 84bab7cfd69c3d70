/** What the statements of one text leave behind for those after them. */
import type { SqlSession, Statement } from '../parts.ts'
import { type Draft, preparedName } from './draft.ts'
import { settingsOf } from './effects.ts'
import { unwrap } from './nodes.ts'
import type { Resolved } from './outcome.ts'
import type { Pending } from './pending.ts'
import type { Reading } from './reading.ts'

/** What a statement was made of, so that it can be judged again. */
export interface Origin {
  readonly draft: Draft
  readonly generation: number
  readonly searchPath: PathSetting
}

/** search_path as it was set; null: to what cannot be known; undefined: never. */
export type PathSetting = string | null | undefined

export interface Batch {
  readonly session: SqlSession
  readonly pending: Pending
  /** As set by the session or by this text. */
  searchPath(): PathSetting
  prepared(name: string): readonly Reading[] | undefined
  ran(draft: Draft, resolved: Resolved, inner: Draft | undefined): void
}

export function createBatch(session: SqlSession, pending: Pending, origins: WeakMap<Statement, Origin>): Batch {
  const prepared = new Map<string, readonly Reading[] | undefined>()
  let path: PathSetting
  let isSet = false

  function preparedBefore(name: string): readonly Reading[] | undefined {
    const statements = session.prepared.get(name)
    if (statements === undefined || statements.length === 0) return undefined
    const readings = statements.flatMap((statement) => origins.get(statement)?.draft.reading ?? [])
    return readings.length === statements.length ? readings : undefined
  }

  return {
    session,
    pending,
    searchPath() {
      return isSet ? path : pathSettingOf(session)
    },
    prepared: (name) => (prepared.has(name) ? prepared.get(name) : preparedBefore(name)),
    ran(draft, resolved, inner) {
      pending.add(draft.reading)
      for (const { name, value, local } of settingsOf(unwrap(draft.tree)?.type, resolved)) {
        if (name !== undefined && name !== 'search_path') continue
        isSet = true
        // SET LOCAL ends with its transaction, wherever that ends.
        path = local ? null : value
      }
      const ends = resolved.actions.some(({ verb }) => endsTransaction(verb))
      if (isSet && ends) path = null
      const own = preparedName(draft)
      for (const name of draft.reading.prepares) prepared.set(name, undefined)
      if (own !== undefined && inner !== undefined) prepared.set(own, [inner.reading])
    },
  }
}

export function pathSettingOf({ certain, settings }: SqlSession): PathSetting {
  // What is on its way may set it.
  if (!certain) return null
  return settings.has('search_path') ? settings.get('search_path') : settings.has('') ? null : undefined
}

export function endsTransaction(verb: string): boolean {
  return /^(COMMIT|ROLLBACK)/.test(verb)
}
