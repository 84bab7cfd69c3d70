/** `hoop logs --follow` on a terminal: runs the tail screen until the reader leaves it. */
import type { Clock } from '../base/clock.ts'
import { hoopError } from '../contract/error-codes.ts'
import type { TailFilter, TailSource, TerminalIo } from './source.ts'

export interface TailOptions {
  readonly source: TailSource
  /** What is shown at first; the reader can change it. What the source leaves out cannot be brought back. */
  readonly initialFilter: TailFilter
  readonly io: TerminalIo
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Resolves when the reader leaves (q, Ctrl-C) or the signal is aborted; rejects when the source fails for good. */
export async function runTail(_options: TailOptions): Promise<void> {
  throw hoopError('internal', 'the tail screen is being built')
}
