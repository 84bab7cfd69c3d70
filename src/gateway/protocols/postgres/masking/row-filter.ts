/** Rows of one answer on their way to the client: masked, and the first of them kept for the record. */
import type { Masks } from '../../../checkpoint.ts'
import type { RowFilter } from '../parts.ts'
import type { Codec } from './codec.ts'
import { createRowMasker, withheldRow } from './rows.ts'
import { createSampler, readRow } from './sample.ts'
import type { ValuePlan } from './values.ts'

export interface RowFilterSettings {
  readonly description: Buffer
  readonly names: readonly string[]
  readonly codec: Codec
  /** What the person may see, and what may be written down. */
  readonly shown: { readonly columns: readonly ValuePlan[]; readonly masks: Masks }
  readonly recorded: { readonly columns: readonly ValuePlan[]; readonly masks: Masks }
  /** Nothing in any row can need masking. */
  readonly clean: boolean
  readonly sampleRows: number
}

export function createRowFilter({
  description,
  names,
  codec,
  shown,
  recorded,
  clean,
  sampleRows,
}: RowFilterSettings): RowFilter {
  const sampler = createSampler(names, sampleRows)
  const mask = createRowMasker({ ...shown, codec })
  const record = createRowMasker({ ...recorded, codec })
  let masked = shown.columns.some(({ style }) => style !== undefined)
  return {
    description,
    row(bytes) {
      if (!sampler.full) sampler.add(readRow(record(bytes), recorded.columns))
      if (clean) return bytes
      const row = mask(bytes)
      if (row !== bytes) masked = true
      return row
    },
    tooLarge() {
      masked = true
      sampler.miss()
      return withheldRow(shown.columns.length)
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

/** Rows that nobody has described: how many values they have is all that can be told. */
export function createUnknownRows(): RowFilter {
  let count = 0
  return {
    description: nothing,
    row(bytes) {
      count = bytes.length >= 7 ? bytes.readUInt16BE(5) : count
      return withheldRow(count)
    },
    tooLarge: () => withheldRow(count),
    sated: false,
    masked: true,
    sample: () => undefined,
  }
}

const nothing = Buffer.alloc(0)
