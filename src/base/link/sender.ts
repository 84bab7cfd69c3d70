/**
 * What leaves a link: frames wait for the end of the event loop's turn, so that what all streams say in it is one write;
 * streams with data take turns, a frame each, within the window of the link and only while the socket takes more.
 */
import type { Socket } from 'node:net'
import { type ControlType, LinkViolation } from './frames.ts'
import { Outbox } from './outbox.ts'
import type { LinkStream } from './stream.ts'

/** What either end may send over all streams before the other has taken it: what one link can make its peer hold. */
export const linkWindow = 64 * 1024 * 1024
/** So much is written; then the socket has to have taken it. */
const turnBytes = 256 * 1024
/** Answers that a peer causes and does not read: beyond this nothing more is read from it. */
const mostUnsent = 1024 * 1024

export class Sender {
  readonly #socket: Socket
  readonly #onSent: () => void
  readonly #outbox = new Outbox()
  #line: LinkStream[] = []
  #mayBeSent = linkWindow
  #isScheduled = false
  #isSending = false
  /** The socket has enough for now. */
  #isFull = false
  #isStopped = false

  /** `onSent`: after everything that could leave has been given to the socket. */
  constructor(socket: Socket, onSent: () => void) {
    this.#socket = socket
    this.#onSent = onSent
    socket.on('drain', () => {
      this.#isFull = false
      if (socket.isPaused()) socket.resume()
      this.#send()
    })
  }

  /** No frame waits that is not data. */
  get isEmpty(): boolean {
    return this.#outbox.bytes === 0
  }

  say(type: ControlType, id: number, payload?: Buffer): void {
    if (this.#isStopped) return
    this.#outbox.frame(type, id, payload)
    if (this.#outbox.bytes > mostUnsent) this.#socket.pause()
    this.#schedule()
  }

  /** The stream has a frame. */
  lineUp(stream: LinkStream): void {
    if (stream.isInLine) return
    stream.isInLine = true
    this.#line.push(stream)
    this.#schedule()
  }

  /** The peer has taken so much of all streams' data. */
  granted(bytes: number): void {
    this.#mayBeSent += bytes
    if (this.#mayBeSent > linkWindow) throw new LinkViolation('granted more than the window of the link')
    this.#schedule()
  }

  stop(): void {
    this.#isStopped = true
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isFull || this.#isSending) return
    this.#isScheduled = true
    setImmediate(this.#sendScheduled)
  }

  readonly #sendScheduled = (): void => {
    this.#isScheduled = false
    this.#send()
  }

  #send(): void {
    while (!this.#isFull && !this.#isStopped) {
      this.#isSending = true
      this.#fill()
      this.#isSending = false
      if (this.isEmpty) break
      this.#write(this.#outbox.take())
    }
    this.#onSent()
  }

  /** A frame of each stream in line, as long as there is room. */
  #fill(): void {
    // Without a window for data, ends wait too: so their order needs no thought.
    for (let left = this.#line.length; left > 0 && this.#outbox.bytes < turnBytes && this.#mayBeSent > 0; left -= 1) {
      const stream = this.#line.shift()
      if (stream === undefined) return
      stream.isInLine = false
      if (!stream.hasFrame) continue
      this.#mayBeSent -= stream.putFrame(this.#outbox, this.#mayBeSent)
      if (stream.hasFrame) this.lineUp(stream)
    }
  }

  #write(pieces: readonly Buffer[]): void {
    const socket = this.#socket
    if (pieces.length > 1) socket.cork()
    for (const piece of pieces) if (!socket.write(piece)) this.#isFull = true
    if (pieces.length > 1) socket.uncork()
  }
}
