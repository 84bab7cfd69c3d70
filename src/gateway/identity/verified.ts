/** Tokens that were found good, by their hash: a token itself is kept nowhere. */
import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { Verified } from './person.ts'

interface VerifiedTokens {
  get(token: string): Verified | undefined
  set(token: string, person: Verified): void
  clear(): void
}

const most = 10_000
/** After this a token is verified anew, so that a key which the issuer withdrew stops counting. */
const trustedForMs = 300_000

export function createVerified(clock: Clock): VerifiedTokens {
  /** In the order of last use: the first is the one to forget. */
  const kept = new Map<string, { person: Verified; until: number }>()
  return {
    get(token) {
      const key = keyOf(token)
      const entry = kept.get(key)
      if (entry === undefined) return undefined
      kept.delete(key)
      if (clock.now() >= entry.until) return undefined
      kept.set(key, entry)
      return entry.person
    },
    set(token, person) {
      kept.set(keyOf(token), { person, until: Math.min(person.expires, clock.now() + trustedForMs) })
      for (const oldest of kept.keys()) {
        if (kept.size <= most) break
        kept.delete(oldest)
      }
    },
    clear: () => kept.clear(),
  }
}

function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}
