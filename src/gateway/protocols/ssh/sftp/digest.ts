/**
 * SHA-256 of a file that goes through in pieces: in the order of their places, not of their coming. Pipelined pieces come
 * out of order; so many of them wait as the bound allows. Where it cannot be known what the file is (a gap, a place that
 * came twice, more disorder than that), there is none.
 */
import { createHash } from 'node:crypto'

const mostWaiting = 8 * 1024 * 1024

export class Digest {
  readonly #hash = createHash('sha256')
  readonly #waiting = new Map<number, Buffer>()
  #bytesWaiting = 0
  #next = 0
  #isSpoilt = false
  #bytes = 0

  /** All that came, in whatever order. */
  get bytes(): number {
    return this.#bytes
  }

  /** What is in order so far. */
  get length(): number {
    return this.#next
  }

  add(offset: number, piece: Buffer) {
    this.#bytes += piece.length
    if (this.#isSpoilt || piece.length === 0) return
    if (offset < this.#next) return this.spoil()
    if (offset > this.#next) return this.#keep(offset, piece)
    this.#take(piece)
    for (let next = this.#waiting.get(this.#next); next !== undefined; next = this.#waiting.get(this.#next)) {
      this.#waiting.delete(this.#next)
      this.#bytesWaiting -= next.length
      this.#take(next)
    }
  }

  /** What is there is not what came. */
  spoil(): void {
    this.#isSpoilt = true
    this.#waiting.clear()
  }

  /** Once; null where it cannot be known. */
  sha256(): string | null {
    return this.#isSpoilt || this.#waiting.size > 0 ? null : this.#hash.digest('hex')
  }

  #take(piece: Buffer): void {
    this.#hash.update(piece)
    this.#next += piece.length
  }

  #keep(offset: number, piece: Buffer) {
    const there = this.#waiting.get(offset)
    if (there !== undefined) {
      if (!there.equals(piece)) this.spoil()
      return
    }
    this.#bytesWaiting += piece.length
    if (this.#bytesWaiting > mostWaiting) return this.spoil()
    // A copy: what arrived with it need not be kept.
    this.#waiting.set(offset, Buffer.from(piece))
  }
}
