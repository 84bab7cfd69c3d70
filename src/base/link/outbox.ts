/**
 * Frames that leave together: headers and small payloads are gathered in one block, large payloads go along uncopied, and
 * all of it is one write.
 */
import { type FrameType, headerBytes, writeHeader } from './frames.ts'

const blockBytes = 16 * 1024
/** Copying this much costs less than one more piece in the write. */
const copiedUpTo = 2048

const nothing = Buffer.alloc(0)

export class Outbox {
  /** Filled from `#from` on; what is before it has been handed out and is never written to again. */
  #block = nothing
  #from = 0
  #at = 0
  #pieces: Buffer[] = []
  #bytes = 0

  /** How much is in it. */
  get bytes(): number {
    return this.#bytes
  }

  frame(type: FrameType, stream: number, payload: Buffer = nothing): void {
    this.header(type, stream, payload.length)
    this.payload(payload)
  }

  /** To be followed by as much payload. */
  header(type: FrameType, stream: number, length: number): void {
    this.#makeRoom(headerBytes)
    writeHeader(this.#block, this.#at, type, stream, length)
    this.#at += headerBytes
    this.#bytes += headerBytes
  }

  payload(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (bytes.length > copiedUpTo) {
      this.#closePiece()
      this.#pieces.push(bytes)
    } else if (bytes.length > 0) {
      this.#makeRoom(bytes.length)
      bytes.copy(this.#block, this.#at)
      this.#at += bytes.length
    }
  }

  /** Everything that is in it, in order; it is empty then. */
  take(): Buffer[] {
    this.#closePiece()
    const pieces = this.#pieces
    this.#pieces = []
    this.#bytes = 0
    return pieces
  }

  #closePiece(): void {
    if (this.#at === this.#from) return
    this.#pieces.push(this.#block.subarray(this.#from, this.#at))
    this.#from = this.#at
  }

  #makeRoom(bytes: number): void {
    if (this.#block.length - this.#at >= bytes) return
    this.#closePiece()
    this.#block = Buffer.allocUnsafe(blockBytes)
    this.#from = 0
    this.#at = 0
  }
}
