/** How a program's end stands in the audit. */
import type { Outcome } from '../../../../contract/record.ts'
import { refusalIn } from '../../terminal/refusals.ts'
import type { Exit } from '../inside.ts'

/** `signal`: the channel's; aborted where it ended before the program did. */
export function outcomeOfExit(exit: Exit | undefined, signal: AbortSignal): Outcome {
  // Killed, or the target has gone: what became of it there nobody knows. A client that goes away has given up.
  if (signal.aborted) return { status: refusalIn(signal.reason) === undefined ? 'cancelled' : 'unknown' }
  if (exit === undefined) return { status: 'unknown' }
  if ('signal' in exit)
    return {
      status: 'failed',
      error: { code: `SIG${exit.signal}`, message: exit.message || `ended by SIG${exit.signal}` },
    }
  if (exit.status === 0) return { status: 'done' }
  return { status: 'failed', error: { code: String(exit.status), message: `exit status ${exit.status}` } }
}
