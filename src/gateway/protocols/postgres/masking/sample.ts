/** The first rows of an answer, as people read them, for the record; already masked when they come here. */
import type { ResultSample } from '../../../../contract/record.ts'
import { fieldsOf } from './rows.ts'
import { readValue, type ValuePlan } from './values.ts'

export interface Sampler {
  readonly full: boolean
  add(row: readonly (string | null)[]): void
  /** There was a row that cannot be kept. */
  miss(): void
  sample(): ResultSample | undefined
}

/** A record is for people: a page of a document, not the document. */
const longestValue = 1000

export function createSampler(columns: readonly string[], rows: number): Sampler {
  const kept: (string | null)[][] = []
  let truncated = false
  return {
    get full() {
      return kept.length >= rows && (rows === 0 || truncated)
    },
    add(row) {
      if (kept.length >= rows) truncated = true
      else kept.push(row.map((value) => (value === null ? null : shorten(value))))
    },
    miss() {
      truncated = true
    },
    sample: () => (rows === 0 ? undefined : { columns: [...columns], rows: kept, truncated }),
  }
}

function shorten(value: string): string {
  return value.length <= longestValue ? value : `${value.slice(0, longestValue)}…`
}

export function readRow(bytes: Buffer, columns: readonly ValuePlan[]): readonly (string | null)[] {
  const fields = fieldsOf(bytes, columns.length)
  if (fields === undefined) return columns.map(() => null)
  return columns.map((plan, index) => {
    const start = fields[index * 2] ?? 0
    const length = fields[index * 2 + 1] ?? -1
    return length < 0 ? null : readValue(plan, bytes.subarray(start, start + length))
  })
}
