/**
 * The journal: what is durable first. Two files that are written over again and again, so that a flush is one system call
 * on blocks that exist already (O_DSYNC), made by a thread of libuv's pool: the main thread never waits for the disk. When
 * one file is full and what is in the other has safely reached the database, they change places.
 */
import { close, constants, fdatasync, fstat, open, write, writev } from 'node:fs'
import { promisify } from 'node:util'
import { frameOf } from '../store/frames.ts'
import { journalPaths, journalStep } from '../store/journal-files.ts'
import type { Batch } from '../store/seal.ts'

export interface Journal {
  /** Takes the files that the writing thread has made. */
  open(): Promise<void>
  /** Durable when it resolves. One at a time. After a rejection it has to be opened anew, on new files. */
  write(batch: Batch): Promise<void>
  /** Everything up to this record is durable elsewhere. */
  release(seq: number): void
  close(): Promise<void>
}

interface File {
  readonly handle: number
  size: number
  /** Where the next frame goes. */
  at: number
  /** Newest record in it. */
  newest: number
}

/** Not a limit: a file grows on while the other one is not free. */
const fullAt = 8 << 20

const openFile = promisify(open)
const closeFile = promisify(close)
const stat = promisify(fstat)
const flushFile = promisify(fdatasync)

export function createJournal(store: string, flush: boolean): Journal {
  let files: File[] = []
  let released = 0

  async function closeAll(): Promise<void> {
    const closing = files
    files = []
    for (const { handle } of closing) await closeFile(handle)
  }

  /** The file to write to is always the first. */
  function current(): File {
    const [file, other] = files
    if (file === undefined || other === undefined) throw new Error('the journal is not open')
    if (file.at < fullAt || other.newest > released) return file
    files = [other, file]
    other.at = 0
    return other
  }

  async function makeRoom(file: File, bytes: number): Promise<void> {
    const needed = file.at + bytes
    if (needed <= file.size) return
    const size = Math.ceil(needed / journalStep) * journalStep
    await writeAll(file.handle, [Buffer.alloc(size - file.size)], file.size)
    file.size = size
  }

  return {
    async open() {
      await closeAll()
      for (const path of journalPaths(store)) {
        const handle = await openFile(path, constants.O_RDWR | (flush ? dataSync : 0))
        files.push({ handle, size: (await stat(handle)).size, at: 0, newest: 0 })
      }
    },
    async write(batch) {
      const frame = frameOf(batch)
      const bytes = frame[0].length + frame[1].length
      const file = current()
      await makeRoom(file, bytes)
      await writeAll(file.handle, frame, file.at)
      if (flush && dataSync === 0) await flushFile(file.handle)
      file.at += bytes
      file.newest = batch.end.seq
    },
    release(seq) {
      released = seq
    },
    close: closeAll,
  }
}

/** A write returns after the data is on the disk, and what is needed to find it. Windows has no such flag. */
const dataSync = constants.O_DSYNC ?? 0

/** The system may take less than it was given. */
async function writeAll(handle: number, pieces: readonly Uint8Array[], position: number): Promise<void> {
  let left = pieces
  let at = position
  while (left.length > 0) {
    const written = await writeSome(handle, left, at)
    at += written
    left = behind(left, written)
  }
}

function writeSome(handle: number, pieces: readonly Uint8Array[], position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, written: number) => (error === null ? resolve(written) : reject(error))
    const [only, ...others] = pieces
    if (only !== undefined && others.length === 0) write(handle, only, 0, only.length, position, done)
    else writev(handle, pieces, position, done)
  })
}

function behind(pieces: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skip = written
  const left: Uint8Array[] = []
  for (const piece of pieces) {
    if (skip < piece.length) left.push(piece.subarray(skip))
    skip = Math.max(0, skip - piece.length)
  }
  return left
}
