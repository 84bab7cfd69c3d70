/** "No" and "wait" in lines for stderr, each with hoop's name before it, so that nobody takes them for the program's. Pure. */
import { type Refusal, refusalDetail } from '../../../contract/refusal.ts'
import type { Hold } from '../../checkpoint.ts'

/** As a shell says "found, and not allowed to run": distinct from OpenSSH's own 255, where the connection is at fault. */
export const refusedStatus = 126
/** The connection, not the command: as OpenSSH. */
export const brokenStatus = 255

export function refusalLines(refusal: Refusal): readonly string[] {
  return [refusal.message, `next: ${refusal.next}`, refusalDetail(refusal)]
}

export function holdLines(hold: Hold): readonly string[] {
  return [hold.message, hold.hint]
}

/** A terminal in raw mode does not go back to the first column by itself. */
export function forStderr(lines: readonly string[], terminal: boolean): string {
  const end = terminal ? '\r\n' : '\n'
  return lines
    .flatMap((line) => line.split('\n'))
    .map((line) => `hoop: ${line}${end}`)
    .join('')
}

/** The reason of a signal is a Refusal where somebody shall be told (protocol.ts); otherwise nobody is there any more. */
export function refusalIn(reason: unknown): Refusal | undefined {
  if (typeof reason === 'object' && reason !== null && 'code' in reason && 'next' in reason && 'message' in reason)
    return reason as Refusal
  return undefined
}
