/** An error as the person or the program that asked wants to read it. */
import { reasonOf } from '../../base/errors.ts'
import { visible, visibleLine } from '../../base/visible.ts'
import { type ErrorCode, exitCodeOf, isHoopError } from '../../contract/error-codes.ts'
import type { Env } from '../../runtime.ts'
import { styleFor } from './style.ts'

export interface ErrorForm {
  readonly json: boolean
  readonly debug: boolean
  readonly env: Env
}

/** With --json one line: `{"error":{"code","message","hint","exit"}}`. Field names are stable (docs/errors.md). */
export function printError(stream: NodeJS.WriteStream, error: unknown, { json, debug, env }: ErrorForm): void {
  const code = isHoopError(error) ? error.code : 'internal'
  const message = reasonOf(error)
  const hint = (isHoopError(error) ? error.hint : undefined) ?? usualHints[code]
  if (json) {
    const trace = debug ? { trace: traceOf(error) } : {}
    stream.write(
      `${JSON.stringify({ error: { code, message, hint: hint ?? null, exit: exitCodeOf(error), ...trace } })}\n`,
    )
    return
  }
  const style = styleFor(stream.isTTY === true, env)
  stream.write(`${style('bad', 'hoop:')} ${visibleLine(message)}\n`)
  if (hint !== undefined) stream.write(`  ${style('quiet', `hint: ${visibleLine(hint)}`)}\n`)
  if (debug) stream.write(`${style('quiet', visible(traceOf(error)))}\n`)
}

/** For errors that came without one. */
const usualHints: Partial<Record<ErrorCode, string>> = {
  'sign-in-needed': 'sign in with "hoop login", or set HOOP_TOKEN',
  'audit-unavailable': 'nothing happens until the audit works again: tell whoever runs the gateway',
  internal: 'run it again with --debug and report what it prints',
}

/** Every error on the way, outermost first. */
function traceOf(error: unknown): string {
  const lines: string[] = []
  for (let at: unknown = error; at !== undefined && lines.length < 10; at = at instanceof Error ? at.cause : undefined)
    lines.push(at instanceof Error ? (at.stack ?? String(at)) : String(at))
  return lines.join('\ncaused by: ')
}
