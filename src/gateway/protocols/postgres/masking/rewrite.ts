/**
 * A run of frames in which some bytes are replaced: what stays is copied in as few stretches as there are, once, and
 * lengths of frames are put right. Where nothing is replaced, the run itself comes out.
 */

/** A stretch shorter than this is copied faster byte by byte than by a call. */
const shortStretch = 24

export class Rewrite {
  readonly #run: Buffer
  #out: Buffer | undefined
  /** Bytes written, and bytes of the run that are dealt with. */
  #at = 0
  #done = 0
  /** Where the frame that is being rewritten begins, in what is written; -1: nothing in it was replaced yet. */
  #frameAt = -1

  constructor(run: Buffer) {
    this.#run = run
  }

  /** Keeps everything up to `from`, and leaves out what lies between there and `to`. */
  cut(from: number, to: number): void {
    this.#keep(from)
    this.#done = to
  }

  /** The same inside a frame, whose length is put right by `closeFrame`. */
  cutInFrame(frameStart: number, from: number, to: number): void {
    if (this.#frameAt < 0) {
      this.#keep(frameStart)
      this.#frameAt = this.#at
    }
    this.cut(from, to)
  }

  closeFrame(end: number): void {
    if (this.#frameAt < 0) return
    this.#keep(end)
    // Without its type.
    this.#room(0).writeInt32BE(this.#at - this.#frameAt - 1, this.#frameAt + 1)
    this.#frameAt = -1
  }

  put(bytes: Buffer): void {
    this.#copy(bytes, 0, bytes.length)
  }

  /** Bytes of the run, wherever they stand. */
  putOwn(start: number, end: number): void {
    this.#copy(this.#run, start, end)
  }

  putInt32(value: number): void {
    this.#room(4).writeInt32BE(value, this.#at)
    this.#at += 4
  }

  finish(): Buffer {
    if (this.#out === undefined) return this.#run
    this.#keep(this.#run.length)
    return this.#out.subarray(0, this.#at)
  }

  #keep(until: number): void {
    if (until > this.#done) this.#copy(this.#run, this.#done, until)
    this.#done = until
  }

  #copy(from: Buffer, start: number, end: number): void {
    const out = this.#room(end - start)
    if (end - start > shortStretch) from.copy(out, this.#at, start, end)
    else for (let index = start, at = this.#at; index < end; index++, at++) out[at] = from[index] as number
    this.#at += end - start
  }

  #room(bytes: number): Buffer {
    const out = this.#out
    if (out !== undefined && this.#at + bytes <= out.length) return out
    const larger = Buffer.allocUnsafe(Math.max(this.#at + bytes, this.#run.length + (this.#at >> 1) + spare))
    out?.copy(larger, 0, 0, this.#at)
    this.#out = larger
    return larger
  }
}

/** What stands instead of short values is often longer than they are. */
const spare = 256
