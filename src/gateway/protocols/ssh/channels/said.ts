/** The gateway's own words on a session channel, and its end. */
import type { Refusal } from '../../../../contract/refusal.ts'
import { brokenStatus, forStderr, refusalIn, refusalLines, refusedStatus } from '../../terminal/refusals.ts'
import type { SessionAsked } from '../asked.ts'
import { closeChannel, type Exit, sendExit } from '../inside.ts'
import type { Sink } from './sink.ts'

export function tell({ channel, pty }: SessionAsked, sink: Sink, lines: readonly string[]): void {
  sink.write(channel.stderr, Buffer.from(forStderr(lines, pty !== undefined)))
}

/** Once what was said before has gone out. A client that has closed already hears nothing. */
export async function close(asked: SessionAsked, sink: Sink, exit: Exit): Promise<void> {
  await sink.flushed()
  if (asked.gone.aborted) return
  const { channel } = asked
  // In OpenSSH's own order: a client may hang up at the end of output.
  sendExit(channel, exit)
  channel.eof()
  closeChannel(channel)
  // Whatever the client still sends: nobody reads it any more.
  channel.resume()
}

/** The last that is said on a channel. */
export async function sayNo(asked: SessionAsked, sink: Sink, refusal: Refusal, status: number): Promise<void> {
  tell(asked, sink, refusalLines(refusal))
  await close(asked, sink, { status })
}

/** Whoever was refused a command may ask for another; whoever was killed may not. `signal` is the channel's. */
export function statusOfNo(signal: AbortSignal): number {
  return refusalIn(signal.reason) === undefined ? refusedStatus : brokenStatus
}
