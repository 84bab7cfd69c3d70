/** Entries become numbered lines, each carrying the hash of the one before. Pure. */
import { sealLine } from '../../contract/chain.ts'
import { bodyOf, type Entry } from './entry.ts'

/** Where a chain ends: its newest record. */
export interface End {
  readonly seq: number
  readonly hash: string
}

/** Records that follow each other and are written together. */
export interface Batch {
  readonly first: number
  readonly end: End
  /** One sealed line each, with a line feed behind it; inside a line there is none, JSON escapes it. */
  readonly lines: string
  /** A JSON array of Columns (entry.ts), one for each line. */
  readonly columns: string
}

export function seal(entries: readonly Entry[], { seq, hash }: End): Batch {
  let lines = ''
  let columns = ''
  let at = seq
  let prev = hash
  for (const entry of entries) {
    const sealed = sealLine(bodyOf(entry, ++at, prev))
    lines += `${sealed.line}\n`
    columns += columns === '' ? entry.columns : `,${entry.columns}`
    prev = sealed.hash
  }
  return { first: seq + 1, end: { seq: at, hash: prev }, lines, columns: `[${columns}]` }
}
