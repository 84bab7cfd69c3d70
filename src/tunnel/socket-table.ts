/**
 * The kernel's table of sockets, read for many who look for a row each. Reading it costs milliseconds (the kernel walks
 * every bucket of its hash, empty ones too), so one walk serves everyone: whoever comes while it runs joins where it is,
 * and goes on from the start. It stops as soon as nobody looks any more.
 */
import { close, open, read } from 'node:fs'
import { promisify } from 'node:util'

export interface SocketTable {
  /**
   * What `look` finds in whole rows that were read after this was called; undefined when it finds nothing, or is over.
   * Rejects when the table cannot be read.
   */
  find<T>(look: (rows: string) => T | undefined, isOver: () => boolean): Promise<T | undefined>
}

interface Seeker {
  /** False once it has been answered. */
  see(rows: string): boolean
  /** The end of the table was reached; false: it is given up. */
  lap(): boolean
  fail(error: unknown): void
}

/**
 * The first end is reached from somewhere in the middle. Rows of sockets that come and go can hide one for a moment,
 * because the table is not read in one piece: so it is walked more than once before something counts as not there.
 */
const mostEnds = 4

/** The kernel fills a page of memory at a time, whatever the size that is asked for. */
const pieceBytes = 16 * 1024

const openFile = promisify(open)
const closeFile = promisify(close)

export function createSocketTable(file: string): SocketTable {
  const seekers = new Set<Seeker>()
  let isWalking = false

  /** Never rejects; whoever comes after its last look at the seekers starts another. */
  async function walk(): Promise<void> {
    isWalking = true
    try {
      const piece = Buffer.allocUnsafe(pieceBytes)
      while (seekers.size > 0) {
        const fd = await openFile(file, 'r')
        try {
          await walkOnce(fd, piece)
        } finally {
          await closeFile(fd)
        }
      }
    } catch (error) {
      for (const seeker of seekers) seeker.fail(error)
      seekers.clear()
    }
    isWalking = false
  }

  /** From the first row to the last, or until nobody looks. */
  async function walkOnce(fd: number, piece: Buffer): Promise<void> {
    let begun = ''
    /** Those for whom a row is not too old that began in the piece before. */
    let before: readonly Seeker[] = []
    while (seekers.size > 0) {
      const present = [...seekers]
      const length = await readPiece(fd, piece)
      if (length === 0) break
      const text = begun + piece.toString('latin1', 0, length)
      const end = text.lastIndexOf('\n') + 1
      const rows = text.slice(0, end)
      for (const seeker of begun === '' ? present : before) if (!seeker.see(rows)) seekers.delete(seeker)
      begun = text.slice(end)
      before = present
    }
    for (const seeker of seekers) if (!seeker.lap()) seekers.delete(seeker)
  }

  return {
    find(look, isOver) {
      return new Promise((resolve, reject) => {
        let ends = 0
        seekers.add({
          see(rows) {
            if (isOver()) resolve(undefined)
            else {
              const found = look(rows)
              if (found === undefined) return true
              resolve(found)
            }
            return false
          },
          lap() {
            ends += 1
            if (ends < mostEnds) return true
            resolve(undefined)
            return false
          },
          fail: reject,
        })
        if (!isWalking) void walk()
      })
    },
  }
}

function readPiece(fd: number, piece: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, piece, 0, piece.length, null, (error, length) => (error ? reject(error) : resolve(length)))
  })
}
