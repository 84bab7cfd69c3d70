/** One permitted command on its way: what the target answers is added up here and settled once. */
import type { Clock } from '../../../base/clock.ts'
import type { Outcome } from '../../../contract/record.ts'
import type { Checkpoint, Permit } from '../../checkpoint.ts'
import { rowsOfTag } from './messages.ts'
import type { CopyHandling, RowHandling, Statement } from './parts.ts'

export class Run {
  readonly statement: Statement
  readonly permit: Permit
  /** The target has begun to answer it. */
  begun = false
  /** How its rows are shown; undefined until the first description. */
  rows: RowHandling | undefined
  copy: CopyHandling | undefined
  readonly #checkpoint: Checkpoint
  readonly #clock: Clock
  readonly #started: number
  #bytesIn = 0
  #bytesOut = 0
  #rows = 0
  #tag: string | undefined
  #settled = false

  constructor(checkpoint: Checkpoint, clock: Clock, statement: Statement, permit: Permit) {
    this.#checkpoint = checkpoint
    this.#clock = clock
    this.#started = clock.elapsed()
    this.statement = statement
    this.permit = permit
  }

  get settled(): boolean {
    return this.#settled
  }

  sent(bytes: number): void {
    this.#bytesIn += bytes
  }

  shown(bytes: number, rows: number): void {
    this.begun = true
    this.#bytesOut += bytes
    this.#rows += rows
  }

  /** A command tag arrived; the run is not over before `settle`. */
  tagged(tag: string): void {
    this.#tag = tag
  }

  settle(end: Pick<Outcome, 'status' | 'error'>): void {
    if (this.#settled) return
    this.#settled = true
    const tag = this.#tag
    const rows = this.rows === 'untouched' ? undefined : this.rows
    const copy = this.copy === 'untouched' ? undefined : this.copy
    const sample = rows?.sample() ?? copy?.sample()
    this.#checkpoint.settle(this.permit, {
      ...end,
      rows: (tag === undefined ? undefined : rowsOfTag(tag)) ?? this.#rows,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      durationMs: Math.max(0, this.#clock.elapsed() - this.#started),
      ...(tag === undefined ? undefined : { summary: tag }),
      ...(rows?.masked === true || copy?.masked === true ? { masked: true } : undefined),
      ...(sample === undefined ? undefined : { result: sample }),
    })
  }

  /** The target will not get to it (any more). */
  skip(): void {
    this.settle({ status: this.begun ? 'done' : 'not-run' })
  }
}
