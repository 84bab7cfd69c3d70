/**
 * One stream of a link, as a Duplex whose directions end one by one. What it may send is bounded by the window its peer
 * grants, what it holds by the window it grants itself; when its frames leave is decided by the multiplexer.
 */
import { Duplex } from 'node:stream'
import { LinkViolation, longestPayload } from './frames.ts'
import type { Outbox } from './outbox.ts'

/** What either end may send of one stream before the other has taken it. */
export const streamWindow = 1024 * 1024

/** What a stream needs of the link it belongs to. */
export interface Carrier {
  /** There is something to send, and a window for it. */
  wants(stream: LinkStream): void
  /** The reader has taken these bytes. */
  taken(bytes: number): void
  grant(stream: LinkStream, bytes: number): void
  /** It is over here. `broken`: the peer has to be told, with this reason. */
  over(stream: LinkStream, broken: string | undefined): void
  /** Everything was said; nothing more is taken either. */
  deaf(stream: LinkStream): void
}

type Done = (error?: Error | null) => void

export class LinkStream extends Duplex {
  readonly id: number
  readonly #carrier: Carrier
  /** The multiplexer's: already in line to send. */
  isInLine = false

  #outgoing: Buffer[] = []
  #outgoingBytes = 0
  #written: Done | undefined
  #finished: Done | undefined
  #mayBeSent = streamWindow
  #hasSaidEnd = false
  /** The peer takes nothing any more: what is written is dropped. */
  #unheard = false

  /** What arrived while the reader did not want it. */
  readonly #incoming: Buffer[] = []
  #isWanted = false
  #mayArrive = streamWindow
  /** Taken by the reader, and not granted again yet. */
  #taken = 0
  #hasHeardEnd = false
  /** Whatever still arrives is dropped; the peer knows. */
  #isDone = false

  constructor(id: number, carrier: Carrier) {
    super({ allowHalfOpen: true, highWaterMark: longestPayload })
    this.id = id
    this.#carrier = carrier
  }

  /** Can a frame be made of what waits here? */
  get hasFrame(): boolean {
    return this.#outgoingBytes > 0 ? this.#mayBeSent > 0 : this.#finished !== undefined
  }

  /** Puts one frame, of at most `most` bytes of data, into the outbox; says how much data that was. */
  putFrame(outbox: Outbox, most: number): number {
    const length = Math.min(this.#outgoingBytes, this.#mayBeSent, longestPayload, most)
    if (length > 0) {
      outbox.header('data', this.id, length)
      this.#mayBeSent -= length
      this.#outgoingBytes -= length
      for (let left = length; left > 0; ) {
        const chunk = this.#outgoing[0] ?? nothing
        if (chunk.length <= left) {
          outbox.payload(chunk)
          this.#outgoing.shift()
        } else {
          outbox.payload(chunk.subarray(0, left))
          this.#outgoing[0] = chunk.subarray(left)
        }
        left -= chunk.length
      }
    } else if (this.#outgoingBytes === 0 && this.#finished !== undefined) {
      outbox.frame('end', this.id)
      this.#hasSaidEnd = true
    }
    this.#goOn()
    return length
  }

  /** The peer sent data. */
  receive(bytes: Buffer): void {
    this.#mayArrive -= bytes.length
    if (this.#mayArrive < 0) throw new LinkViolation(`stream ${this.id} got more than its window`)
    if (this.#hasHeardEnd) throw new LinkViolation(`stream ${this.id} got data after its end`)
    if (this.#isDone) this.#carrier.taken(bytes.length)
    else if (this.#isWanted) this.#hand(bytes)
    else this.#incoming.push(bytes)
  }

  receiveEnd(): void {
    if (this.#hasHeardEnd) throw new LinkViolation(`stream ${this.id} ended twice`)
    this.#hasHeardEnd = true
    if (!this.#isDone && this.#incoming.length === 0) this.push(null)
  }

  receiveWindow(bytes: number): void {
    this.#mayBeSent += bytes
    if (this.#mayBeSent > streamWindow) throw new LinkViolation(`stream ${this.id} was granted more than its window`)
    if (this.hasFrame) this.#carrier.wants(this)
  }

  /** Broken off by the peer, or by the loss of the link. */
  receiveReset(reason: string): void {
    this.#isDone = true
    this.destroy(new Error(reason))
  }

  /** What the peer has said is still read to its end; what is said to it from here is for nobody. */
  receiveDeaf(): void {
    this.#unheard = true
    this.#outgoing = []
    this.#outgoingBytes = 0
    this.#goOn()
    if (this.readableEnded) this.destroy()
    else this.once('end', () => this.destroy())
  }

  /** Ends what has been said whole, without breaking it off under a peer that goes on talking. */
  takeNoMore(): void {
    if (this.#hasSaidEnd && !this.#hasHeardEnd && !this.destroyed) {
      this.#isDone = true
      this.#carrier.deaf(this)
    }
    this.destroy()
  }

  override _read(): void {
    this.#isWanted = true
    while (this.#isWanted) {
      const bytes = this.#incoming.shift()
      if (bytes === undefined) break
      this.#hand(bytes)
      if (this.#incoming.length === 0 && this.#hasHeardEnd && !this.#isDone) this.push(null)
    }
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#send([chunk], chunk.length, done)
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: Done): void {
    const buffers = chunks.map(({ chunk }) => chunk)
    this.#send(
      buffers,
      buffers.reduce((sum, { length }) => sum + length, 0),
      done,
    )
  }

  override _final(done: Done): void {
    if (this.#unheard) {
      done()
    } else {
      this.#finished = done
      this.#carrier.wants(this)
    }
  }

  override _destroy(error: Error | null, done: Done): void {
    const isWhole = this.#isDone || (this.#hasSaidEnd && this.#hasHeardEnd)
    this.#isDone = true
    for (const bytes of this.#incoming.splice(0)) this.#carrier.taken(bytes.length)
    this.#outgoing = []
    this.#outgoingBytes = 0
    this.#finished = undefined
    this.#written?.(error ?? new Error('the stream is closed'))
    this.#written = undefined
    this.#carrier.over(this, isWhole ? undefined : (error?.message ?? 'closed'))
    done(error)
  }

  #send(chunks: Buffer[], bytes: number, done: Done): void {
    // Writable hands out empty chunks too; a frame has at least one byte.
    if (this.#unheard || bytes === 0) {
      done()
      return
    }
    this.#outgoing = chunks
    this.#outgoingBytes = bytes
    this.#written = done
    if (this.#mayBeSent > 0) this.#carrier.wants(this)
  }

  /** Everything that was given for sending is on its way: there may be more. */
  #goOn(): void {
    if (this.#outgoingBytes > 0) return
    const done = this.#written ?? (this.#hasSaidEnd || this.#unheard ? this.#finished : undefined)
    if (this.#written !== undefined) this.#written = undefined
    else if (done !== undefined) this.#finished = undefined
    done?.()
  }

  #hand(bytes: Buffer): void {
    // Reading may begin anew inside push; that must not be forgotten.
    this.#isWanted = false
    if (this.push(bytes)) this.#isWanted = true
    this.#carrier.taken(bytes.length)
    this.#taken += bytes.length
    // In halves: a frame for every chunk that was taken would cost as much as the chunk.
    if (this.#taken < streamWindow / 2 || this.#hasHeardEnd || this.#isDone) return
    this.#mayArrive += this.#taken
    this.#carrier.grant(this, this.#taken)
    this.#taken = 0
  }
}

const nothing = Buffer.alloc(0)
