/** Rows of one answer on their way to the client: masked, and the first of them kept for the record. */
import type { ResultSample } from '../../../../contract/record.ts'
import type { Masks } from '../../../checkpoint.ts'
import type { RowFilter } from '../parts.ts'
import type { Codec } from './codec.ts'
import { createRowMasker, frameEnd, type RowMasker, withheldRow } from './rows.ts'
import { readRow, Sampler } from './sample.ts'
import type { ValuePlan } from './values.ts'

export interface RowPlanSettings {
  readonly names: readonly string[]
  readonly codec: Codec
  /** What the person may see, and what may be written down; the very same where there is no difference. */
  readonly shown: Seen
  readonly recorded: Seen
  /** Nothing in any row can need masking. */
  readonly clean: boolean
  readonly sampleRows: number
}

interface Seen {
  readonly columns: readonly ValuePlan[]
  readonly masks: Masks
}

/** What is the same for every execution of a statement: makes a filter for each. */
export type RowPlan = () => RowFilter

export function createRowPlan(settings: RowPlanSettings): RowPlan {
  const { codec, shown, recorded } = settings
  const mask = createRowMasker({ ...shown, codec })
  const plan: Planned = {
    ...settings,
    mask,
    record: recorded === shown ? mask : createRowMasker({ ...recorded, codec }),
    withheld: withheldRow(shown.columns.length),
    styled: shown.columns.some(({ style }) => style !== undefined),
  }
  return () => new PlannedRows(plan)
}

interface Planned extends RowPlanSettings {
  readonly mask: RowMasker
  readonly record: RowMasker
  readonly withheld: Buffer
  readonly styled: boolean
}

class PlannedRows implements RowFilter {
  readonly #plan: Planned
  readonly #sampler: Sampler
  #masked: boolean

  constructor(plan: Planned) {
    this.#plan = plan
    this.#sampler = new Sampler(plan.names, plan.sampleRows)
    this.#masked = plan.styled
  }

  rows(run: Buffer): Buffer {
    const { clean, mask, record } = this.#plan
    const rows = clean ? run : mask(run)
    if (rows !== run) this.#masked = true
    if (!this.#sampler.full) this.#keep(record === mask ? rows : run)
    return rows
  }

  tooLarge(): Buffer {
    this.#masked = true
    this.#sampler.miss()
    return this.#plan.withheld
  }

  get sated(): boolean {
    return this.#plan.clean && this.#sampler.full
  }

  get masked(): boolean {
    return this.#masked
  }

  sample(): ResultSample | undefined {
    return this.#sampler.sample()
  }

  /** The first rows of a run that is as it may be shown, or (where the record is masked otherwise) as it came. */
  #keep(run: Buffer): void {
    const { mask, record, recorded } = this.#plan
    const sampler = this.#sampler
    for (let start = 0; start < run.length && !sampler.full; ) {
      const end = frameEnd(run, start)
      if (!sampler.hungry) sampler.miss()
      else if (record === mask) sampler.add(readRow(run, start, end, recorded.columns))
      else {
        const row = record(run.subarray(start, end))
        sampler.add(readRow(row, 0, row.length, recorded.columns))
      }
      start = end
    }
  }
}

/** Rows that nobody has described: how many values they have is all that can be told. */
export function createUnknownRows(): RowFilter {
  let count = 0
  function withheld(run: Buffer): Buffer {
    const rows: Buffer[] = []
    for (let start = 0; start < run.length; start = frameEnd(run, start)) {
      if (frameEnd(run, start) - start >= 7) count = run.readUInt16BE(start + 5)
      rows.push(withheldRow(count))
    }
    return Buffer.concat(rows)
  }
  return {
    rows: withheld,
    tooLarge: () => withheldRow(count),
    sated: false,
    masked: true,
    sample: () => undefined,
  }
}
