/**
 * A stream that outlives its connections: when one breaks it is opened again, with back-off, and says so. What has to be
 * asked for next time (so that nothing is lost or repeated) is the business of whoever opens it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ErrorCode, isHoopError } from '../contract/error-codes.ts'
import { reasonOf } from '../base/errors.ts'

export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'connected' }
  | { readonly state: 'lost'; readonly reason: string }

export interface Steady {
  readonly signal: AbortSignal
  onConnection?: ((connection: Connection) => void) | undefined
  /** The first wait after a loss; doubles up to half a minute. */
  readonly firstWaitMs?: number | undefined
}

/** These mend by themselves; every other error is an answer and final. */
const passing: readonly ErrorCode[] = [
  'gateway-unreachable',
  'gateway-error',
  'identity-unavailable',
  'audit-unavailable',
]
const longestWaitMs = 30_000

/** `open` resolves once connected. Ends quietly with the signal. The first connection must succeed: no waiting for a typo. */
export async function* steadyStream<T>(
  open: () => Promise<AsyncIterable<T>>,
  { signal, onConnection, firstWaitMs = 250 }: Steady,
): AsyncGenerator<T> {
  let waitMs = firstWaitMs
  let wasConnected = false
  onConnection?.({ state: 'connecting' })
  while (!signal.aborted) {
    try {
      const items = await open()
      wasConnected = true
      onConnection?.({ state: 'connected' })
      for await (const item of items) {
        waitMs = firstWaitMs
        yield item
        if (signal.aborted) return
      }
      // Ended in good order: the gateway does that when the token ends that it was opened with, and wants a newer one.
    } catch (error) {
      if (signal.aborted) return
      if (!wasConnected || !isHoopError(error) || !passing.includes(error.code)) throw error
      onConnection?.({ state: 'lost', reason: reasonOf(error) })
    }
    // A little chance, so that a restarted gateway does not meet everyone in the same instant.
    await sleep(waitMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined)
    waitMs = Math.min(waitMs * 2, longestWaitMs)
  }
}
