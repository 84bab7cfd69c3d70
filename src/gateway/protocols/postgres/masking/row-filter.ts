/** Rows of one answer on their way to the client: masked, and the first of them kept for the record. */
import type { Masks } from '../../../checkpoint.ts'
import type { RowFilter } from '../parts.ts'
import type { Codec } from './codec.ts'
import { createRowMasker, frameEnd, withheldRow } from './rows.ts'
import { createSampler, readRow } from './sample.ts'
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
  const { names, codec, shown, recorded, clean, sampleRows } = settings
  const mask = createRowMasker({ ...shown, codec })
  const same = recorded === shown
  const record = same ? mask : createRowMasker({ ...recorded, codec })
  const withheld = withheldRow(shown.columns.length)
  const styled = shown.columns.some(({ style }) => style !== undefined)

  return () => {
    const sampler = createSampler(names, sampleRows)
    let masked = styled

    /** The first rows of a run that is as it may be shown, or (where that is not the same) as it came. */
    function sample(run: Buffer): void {
      for (let start = 0; start < run.length && !sampler.full; ) {
        const end = frameEnd(run, start)
        if (!sampler.hungry) sampler.miss()
        else if (same) sampler.add(readRow(run, start, end, recorded.columns))
        else {
          const row = record(run.subarray(start, end))
          sampler.add(readRow(row, 0, row.length, recorded.columns))
        }
        start = end
      }
    }

    return {
      rows(run) {
        const rows = clean ? run : mask(run)
        if (rows !== run) masked = true
        if (!sampler.full) sample(same ? rows : run)
        return rows
      },
      tooLarge() {
        masked = true
        sampler.miss()
        return withheld
      },
      get sated() {
        return clean && sampler.full
      },
      get masked() {
        return masked
      },
      sample: () => sampler.sample(),
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
