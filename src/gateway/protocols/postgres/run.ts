/** One permitted command on its way: what the target answers is added up here and settled once. */
import type { Clock } from '../../../base/clock.ts'
import type { Outcome } from '../../../contract/record.ts'
import type { Checkpoint, Permit } from '../../checkpoint.ts'
import { rowsOfTag } from './messages.ts'
import type { CopyHandling, RowHandling, Statement } from './parts.ts'

export interface Run {
  readonly statement: Statement
  readonly permit: Permit
  readonly settled: boolean
  /** The target has begun to answer it. */
  begun: boolean
  /** How its rows are shown; undefined until the first description. */
  rows: RowHandling | undefined
  copy: CopyHandling | undefined
  sent(bytes: number): void
  shown(bytes: number, rows: number): void
  /** A command tag arrived; the run is not over before `settle`. */
  tagged(tag: string): void
  settle(end: Pick<Outcome, 'status' | 'error'>): void
  /** The target will not get to it (any more). */
  skip(): void
}

export function createRun(checkpoint: Checkpoint, clock: Clock, statement: Statement, permit: Permit): Run {
  const started = clock.elapsed()
  let bytesIn = 0
  let bytesOut = 0
  let rows = 0
  let tag: string | undefined
  let settled = false
  const run: Run = {
    statement,
    permit,
    begun: false,
    rows: undefined,
    copy: undefined,
    get settled() {
      return settled
    },
    sent(bytes) {
      bytesIn += bytes
    },
    shown(bytes, count) {
      run.begun = true
      bytesOut += bytes
      rows += count
    },
    tagged(text) {
      tag = text
    },
    settle(end) {
      if (settled) return
      settled = true
      const filters = [run.rows, run.copy].filter((handling) => handling !== undefined && handling !== 'untouched')
      const sample = filters.map((filter) => filter.sample()).find((result) => result !== undefined)
      checkpoint.settle(permit, {
        ...end,
        rows: (tag === undefined ? undefined : rowsOfTag(tag)) ?? rows,
        bytesIn,
        bytesOut,
        durationMs: Math.max(0, clock.elapsed() - started),
        ...(tag === undefined ? {} : { summary: tag }),
        ...(filters.some((filter) => filter.masked) ? { masked: true } : {}),
        ...(sample === undefined ? {} : { result: sample }),
      })
    },
    skip() {
      run.settle({ status: run.begun ? 'done' : 'not-run' })
    },
  }
  return run
}
