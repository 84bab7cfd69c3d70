/** The first rows of an answer, as people read them, for the record; already masked when they come here. */
import type { ResultSample } from '../../../../contract/record.ts'
import { readFields } from './rows.ts'
import { readValue, type ValuePlan } from './values.ts'

/** A record is for people: a page of a document, not the document. */
const longestValue = 1000

/** A class, because there is one for each execution: an object with getters of its own costs more than a row does. */
export class Sampler {
  readonly #columns: readonly string[]
  readonly #wanted: number
  readonly #kept: (string | null)[][] = []
  #truncated = false

  constructor(columns: readonly string[], rows: number) {
    this.#columns = columns
    this.#wanted = rows
  }

  /** It has all it wants, and it is known whether there was more. */
  get full(): boolean {
    return this.#kept.length >= this.#wanted && (this.#wanted === 0 || this.#truncated)
  }

  /** It wants the next row itself, not only to know that there is one. */
  get hungry(): boolean {
    return this.#kept.length < this.#wanted
  }

  add(row: readonly (string | null)[]): void {
    this.#kept.push(row.map((value) => (value === null ? null : shorten(value))))
  }

  /** There was a row that is not kept. */
  miss(): void {
    this.#truncated = true
  }

  sample(): ResultSample | undefined {
    return this.#wanted === 0
      ? undefined
      : { columns: [...this.#columns], rows: this.#kept, truncated: this.#truncated }
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
