/**
 * The journal's two files, from the writing thread's side: what a start finds in them, making them anew, and taking them
 * away. While a gateway runs only the main thread writes to them (audit/journal.ts).
 */
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { hashAtEnd } from '../../contract/chain.ts'
import type { AuditRecord } from '../../contract/record.ts'
import { columnsOf } from './entry.ts'
import { type Frame, prevOf, readFrames } from './frames.ts'
import { damaged } from './proof.ts'
import type { Batch, End } from './seal.ts'
import { syncFolder } from './sqlite.ts'

/** They grow in such steps too: writing over what is there already costs half of what making a file longer does. */
export const journalStep = 256 << 10

/** Not `-journal`, which SQLite would take for its own. */
export function journalPaths(store: string): readonly [string, string] {
  return [`${store}.journal-a`, `${store}.journal-b`]
}

/**
 * What is written there and comes after `end`, in order. Throws if something of it was lost: the last frame may be torn,
 * then nobody was told that it is durable; every other one has been.
 */
export function* readJournal(store: string, end: End): Generator<Batch> {
  const readings = journalPaths(store).map((path) => readFrames(readIfThere(path)))
  const frames = readings.flatMap(({ frames }) => frames).sort((one, other) => one.first - other.first)
  let { seq, hash } = end
  for (const frame of frames) {
    const lines = frame.lines.slice(Math.max(0, seq + 1 - frame.first))
    const [first] = lines
    if (first === undefined) continue
    if (frame.first > seq + 1)
      throw damaged(`record ${seq + 1} is missing, and the journal goes on with ${frame.first}`)
    if (prevOf(first) !== hash) throw damaged(`the journal does not follow record ${seq}`)
    const batch = batchOf(seq + 1, lines)
    yield batch
    seq = batch.end.seq
    hash = batch.end.hash
  }
  for (const { lost } of readings)
    if (lost !== undefined && lost.first > seq)
      throw damaged(`record ${seq + 1} is missing, and the journal goes on with ${lost.first}`)
}

/** Empty ones, with room in them. Durable when it returns. */
export function makeJournal(store: string): void {
  removeJournal(store)
  for (const path of journalPaths(store)) {
    const file = openSync(path, 'wx', 0o600)
    try {
      writeSync(file, Buffer.alloc(journalStep))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  }
  syncFolder(dirname(store))
}

export function removeJournal(store: string): void {
  for (const path of journalPaths(store)) rmSync(path, { force: true })
}

function batchOf(first: number, lines: Frame['lines']): Batch {
  // Proven by their hashes a moment ago: they are what we wrote.
  const columns = lines.map((line) => columnsOf(JSON.parse(line) as AuditRecord))
  return {
    first,
    end: { seq: first + lines.length - 1, hash: hashAtEnd(lines.at(-1) ?? '') },
    lines: new TextEncoder().encode(lines.map((line) => `${line}\n`).join('')),
    columns: JSON.stringify(columns),
  }
}

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}
