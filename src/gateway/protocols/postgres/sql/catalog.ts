/**
 * What names mean at the target, asked of its catalog over the side connection and remembered: functions, operators,
 * types and relations by name, with every schema they occur in. One catalog a conversation: it also keeps what this
 * session's own open transaction has changed, which nobody else can see yet.
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
}

interface CatalogOptions {
  /** How long an answer is believed, because others change the catalog too. */
  readonly believedForMs?: number
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

const defaultBelievedForMs = 15_000
const mostNames = 5_000

export function createCatalog(open: OpenSideConnection, options: CatalogOptions = {}): Catalog {
  const { believedForMs = defaultBelievedForMs, now = () => performance.now() } = options
  let generation = 1
  let since = now()
  let known = createKnown()

  function invalidate(): void {
    generation += 1
    since = now()
    known = createKnown()
  }

  function expire(): void {
    if (now() - since > believedForMs || known.count > mostNames) invalidate()
  }

  return {
    get generation() {
      expire()
      return generation
    },
    async lookup(names) {
      expire()
      // What is invalidated while the target answers must not be kept; it may be older than the change.
      const kept = known
      const missing = kept.missing(names)
      if (missing !== undefined) kept.add(missing, await ask(await open(), missing))
      return kept.answer(names)
    },
    invalidate,
  }
}
