/**
 * What names mean at the target, asked of its catalog over a side connection and remembered: functions, operators, types
 * and relations by name, with every schema they occur in. What one conversation has learnt is known to all that log in
 * alike; a change that passes through the door makes all of them ask anew. A conversation has a Catalog of its own all the
 * same, because what its open transaction has changed nobody else can see yet (pending.ts).
 */
import type { OpenSideConnection } from '../side-connection.ts'
import { ask } from './catalog-query.ts'
import { createKnown } from './known.ts'
import type { CatalogAnswer, CatalogNames } from './meanings.ts'

export type * from './meanings.ts'

export interface Catalog {
  /** Rises whenever something that was answered before may now be answered differently. */
  readonly generation: number
  /** Everything with one of these names, in whatever schema. Rejects when the target cannot be asked. */
  lookup(names: CatalogNames): Promise<CatalogAnswer>
  /** Everything learnt is stale: asked anew next time. */
  invalidate(): void
  /** A change is on its way of which nobody will hear whether it became real: for a while nothing is believed. */
  distrust(): void
}

export interface Catalogs {
  /** `login`: what has to be the same, so that names mean the same: server, database, user, startup options. */
  of(login: string, open: OpenSideConnection): Catalog
}

interface CatalogOptions {
  /** How long an answer is believed, because others change the catalog too. */
  readonly believedForMs?: number
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

const defaultBelievedForMs = 15_000
/** Longer than a server takes to find out that a client is gone. */
const distrustForMs = 5_000
const mostNames = 5_000
const mostLogins = 200

export function createCatalogs(options: CatalogOptions = {}): Catalogs {
  // A Map iterates in the order of insertion: the first is the one that was not used for longest.
  const all = new Map<string, Knowledge>()
  return {
    of(login, open) {
      const knowledge = all.get(login) ?? createKnowledge(options)
      all.delete(login)
      all.set(login, knowledge)
      for (const oldest of all.keys()) {
        if (all.size <= mostLogins) break
        all.delete(oldest)
      }
      return catalogOver(knowledge, open)
    },
  }
}

/** One that shares with nobody. */
export function createCatalog(open: OpenSideConnection, options: CatalogOptions = {}): Catalog {
  return catalogOver(createKnowledge(options), open)
}

type Knowledge = ReturnType<typeof createKnowledge>

function catalogOver(knowledge: Knowledge, open: OpenSideConnection): Catalog {
  return {
    get generation() {
      return knowledge.generation()
    },
    lookup: (names) => knowledge.lookup(names, open),
    invalidate: knowledge.invalidate,
    distrust: knowledge.distrust,
  }
}

function createKnowledge({ believedForMs = defaultBelievedForMs, now = () => performance.now() }: CatalogOptions) {
  let generation = 1
  let since = now()
  let distrustedUntil = Number.NEGATIVE_INFINITY
  let known = createKnown()

  function invalidate(): void {
    generation += 1
    since = now()
    known = createKnown()
  }

  function expire(): void {
    const believed = now() < distrustedUntil ? 0 : believedForMs
    if (now() - since > believed || known.count > mostNames) invalidate()
  }

  return {
    generation(): number {
      expire()
      return generation
    },
    async lookup(names: CatalogNames, open: OpenSideConnection): Promise<CatalogAnswer> {
      expire()
      // What is invalidated while the target answers must not be kept; it may be older than the change.
      const kept = known
      const missing = kept.missing(names)
      if (missing !== undefined) kept.add(missing, await ask(await open(), missing))
      return kept.answer(names)
    },
    invalidate,
    distrust(): void {
      invalidate()
      distrustedUntil = now() + distrustForMs
    },
  }
}
