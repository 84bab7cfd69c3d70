/** How relays of upgraded connections come to an end. */
import { isHoopError } from '../../../../contract/error-codes.ts'
import type { Refusal } from '../../../../contract/refusal.ts'

/** An end that has closed lets the other say what is under way, and no more. */
export const graceMs = 5000
/** For a client that does not read what it is told at the end. */
export const lastWordsMs = 2000

export function notUnderstood(error: unknown): Refusal {
  return isHoopError(error)
    ? {
        code: 'not-understood',
        message: `ended: ${error.message}`,
        next: 'use kubectl, or a client that speaks as it does',
      }
    : { code: 'internal', message: 'ended: the gateway failed to pass it on', next: 'the gateway log says more' }
}

export function whenAborted(signal: AbortSignal): Promise<'aborted'> {
  if (signal.aborted) return Promise.resolve('aborted')
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve('aborted'), { once: true }))
}
