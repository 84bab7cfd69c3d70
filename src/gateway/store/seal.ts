/**
 * Entries become numbered lines, each carrying the hash of the one before: as the bytes that are written to the journal,
 * hashed where they stand, and handed on to the database as they are.
 */
import { hashOf, sealOf } from '../../contract/chain.ts'
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
  /** One sealed line each, with a line feed behind it; inside a line there is none, JSON escapes it. In UTF-8. */
  readonly lines: Uint8Array<ArrayBuffer>
  /** A JSON array of Columns (entry.ts), one for each line. */
  readonly columns: string
}

/** Number, hashes and their names: what a line has beside its entry's body. */
const aroundBody = 256
/** Of a UTF-16 unit in UTF-8. */
const mostBytes = 3

let room = Buffer.alloc(64 << 10)

export function seal(entries: readonly Entry[], { seq, hash }: End): Batch {
  makeRoom(entries)
  const columns: string[] = []
  let number = seq
  let prev = hash
  let at = 0
  for (const entry of entries) {
    const start = at
    at += room.write(bodyOf(entry, ++number, prev), at)
    prev = hashOf(room.subarray(start, at))
    // Inside the brace that closes the body.
    at += room.write(sealOf(prev), at - 1, 'latin1') - 1
    room[at++] = lineFeed
    columns.push(entry.columns)
  }
  // A copy of its own: it changes threads.
  const lines = new Uint8Array(at)
  lines.set(room.subarray(0, at))
  return { first: seq + 1, end: { seq: number, hash: prev }, lines, columns: `[${columns.join()}]` }
}

const lineFeed = 0x0a

function makeRoom(entries: readonly Entry[]): void {
  let units = 0
  for (const { body } of entries) units += body.length
  const needed = units * mostBytes + entries.length * aroundBody
  if (needed > room.length) room = Buffer.alloc(needed)
  else if (room.length > mostRoomKept && needed < mostRoomKept) room = Buffer.alloc(mostRoomKept)
}

/** One long record shall not be remembered in memory for ever. */
const mostRoomKept = 4 << 20
