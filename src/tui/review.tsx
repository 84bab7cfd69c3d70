/** `hoop approve` on a terminal: runs the review screen until the reviewer leaves it. */
import type { Clock } from '../base/clock.ts'
import { hoopError } from '../contract/error-codes.ts'
import type { ReviewSource, TerminalIo } from './source.ts'

export interface ReviewOptions {
  readonly source: ReviewSource
  readonly io: TerminalIo
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Resolves when the reviewer leaves (q, Ctrl-C) or the signal is aborted; rejects when the source fails for good. */
export async function runReview(_options: ReviewOptions): Promise<void> {
  throw hoopError('internal', 'the review screen is being built')
}
