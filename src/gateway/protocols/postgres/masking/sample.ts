/** The first rows of an answer, as people read them, for the record; already masked when they come here. */
import type { ResultSample } from '../../../../contract/record.ts'
import { readFields } from './rows.ts'
import { readValue, type ValuePlan } from './values.ts'

export interface Sampler {
  /** It has all it wants, and it is known whether there was more. */
  readonly full: boolean
  /** It wants the next row itself, not only to know that there is one. */
  readonly hungry: boolean
  add(row: readonly (string | null)[]): void
  /** There was a row that is not kept. */
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
    get hungry() {
      return kept.length < rows
    },
    add(row) {
      kept.push(row.map((value) => (value === null ? null : shorten(value))))
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

/** A DataRow frame that lies between these places. */
export function readRow(bytes: Buffer, start: number, end: number, columns: readonly ValuePlan[]): (string | null)[] {
  const fields = new Int32Array(columns.length * 2)
  if (!readFields(bytes, start, end, columns.length, fields)) return columns.map(() => null)
  return columns.map((plan, index) => {
    const from = fields[index * 2] ?? 0
    const length = fields[index * 2 + 1] ?? -1
    if (length < 0) return null
    return plan.binary
      ? readValue(plan, bytes.subarray(from, from + length))
      : bytes.toString('utf8', from, from + length)
  })
}
