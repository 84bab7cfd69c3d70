/**
 * Whoever is refused a stream over WebSocket asks for the same one over SPDY at once: kubectl takes any refused upgrade for a
 * server that is too old for WebSockets. The second question has the answer that the first one had, and nobody is asked
 * twice. Time is an argument.
 */
import type { Refusal } from '../../../contract/refusal.ts'

export interface SecondTries {
  refused(key: string, refusal: Refusal, now: number): void
  /** The refusal of the same question a moment ago, once. */
  take(key: string, now: number): Refusal | undefined
}

/** kubectl asks within one round trip. A person who tries again by hand is slower, or has the time to wait. */
const soonMs = 5000
const mostRemembered = 10_000

export function createSecondTries(): SecondTries {
  const refusals = new Map<string, { readonly refusal: Refusal; readonly until: number }>()
  return {
    refused(key, refusal, now) {
      for (const [old, { until }] of refusals) {
        if (until > now && refusals.size < mostRemembered) break
        refusals.delete(old)
      }
      refusals.delete(key)
      refusals.set(key, { refusal, until: now + soonMs })
    },
    take(key, now) {
      const found = refusals.get(key)
      refusals.delete(key)
      return found !== undefined && found.until > now ? found.refusal : undefined
    },
  }
}
