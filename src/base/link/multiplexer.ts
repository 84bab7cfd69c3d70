/**
 * Many streams over one socket. One end opens them, the other accepts or refuses each. Whatever is written to all of them
 * while the event loop looks at its sockets leaves in one write; streams take turns, a frame each. When the socket goes,
 * all streams break: an end is only what was said to be one.
 */
import type { Socket } from 'node:net'
import { reasonOf } from '../errors.ts'
import {
  type ControlType,
  createFrameReader,
  type FrameSink,
  LinkViolation,
  longestPayload,
  reasonPayload,
  windowPayload,
} from './frames.ts'
import { Outbox } from './outbox.ts'
import { type Carrier, LinkStream } from './stream.ts'

/** What either end may send over all streams before the other has taken it: what one link can make its peer hold. */
export const linkWindow = 64 * 1024 * 1024
const lastStream = 0xff_ff_ff_ff
/** One turn of writing; then the socket has to have taken it. */
const turnBytes = 256 * 1024
/** Answers that a peer causes and does not read: beyond this nothing more is read from it. */
const mostUnsent = 1024 * 1024

export interface MultiplexerOptions {
  /** What was read beyond the handshake. */
  readonly head?: Buffer
  /** Somebody asks for a stream: `accept` or `refuse` it. Only the end that opens none has this. */
  readonly onOpen?: (stream: LinkStream, wish: Buffer) => void
  readonly pingEveryMs: number
  readonly pongWithinMs: number
}

/** How the link ended. */
export interface LinkEnd {
  readonly reason: string
  /** The peer did not keep to what was agreed. */
  readonly violation: boolean
}

/** The peer said no; its words are the payload of the frame. */
export class StreamRefused extends Error {
  override readonly name = 'StreamRefused'
  readonly status: number
  readonly body: string

  constructor(payload: Buffer) {
    super('the stream was refused')
    this.status = payload.readUInt16BE()
    this.body = payload.toString('utf8', 2)
  }
}

/** The peer said nothing in time. */
export class StreamUnanswered extends Error {
  override readonly name = 'StreamUnanswered'
}

interface Asked {
  readonly stream: LinkStream
  readonly resolve: (stream: LinkStream) => void
  readonly reject: (error: Error) => void
}

export class Multiplexer {
  /** Resolves, with the reason, once no new stream can be opened; open ones may go on. */
  readonly lost: Promise<string>
  /** Resolves once the socket is closed. */
  readonly over: Promise<LinkEnd>
  readonly #socket: Socket
  readonly #options: MultiplexerOptions
  /** Open in both directions or one. */
  readonly #streams = new Map<number, LinkStream>()
  /** Asked of the peer, and not answered yet. */
  readonly #asked = new Map<number, Asked>()
  /** Asked by the peer, and not answered yet. */
  readonly #unanswered = new Map<number, LinkStream>()
  readonly #outbox = new Outbox()
  readonly #carrier: Carrier
  readonly #beat: NodeJS.Timeout
  readonly #onPong: (() => void)[] = []
  #line: LinkStream[] = []
  #isScheduled = false
  #isSending = false
  /** The socket has enough for now. */
  #isFull = false
  #last = 0
  #mayBeSent = linkWindow
  #mayArrive = linkWindow
  /** Taken by readers of all streams, and not granted again yet. */
  #taken = 0
  #isLeaving = false
  #end: LinkEnd | undefined
  #lose: (reason: string) => void = () => {}

  constructor(socket: Socket, options: MultiplexerOptions) {
    this.#socket = socket
    this.#options = options
    this.lost = new Promise((resolve) => {
      this.#lose = resolve
    })
    this.#carrier = {
      wants: (stream) => this.#wants(stream),
      taken: (bytes) => this.#took(bytes),
      grant: (stream, bytes) => this.#say('window', stream.id, windowPayload(bytes)),
      over: (stream, broken) => this.#forget(stream, broken),
      deaf: (stream) => this.#say('deaf', stream.id),
    }
    this.#beat = setInterval(() => this.#ping(), options.pingEveryMs).unref()
    this.over = new Promise((resolve) => {
      const finish = () => resolve(this.#close())
      socket.once('close', finish)
      if (socket.destroyed) finish()
    })
    this.#listen(options.head)
  }

  /** Streams that are open or about to be. */
  get streams(): number {
    return this.#streams.size + this.#asked.size + this.#unanswered.size
  }

  /** Asks for a stream. Throws `StreamRefused`, `StreamUnanswered`, and other errors where the link broke meanwhile. */
  open(wish: Buffer, withinMs: number, signal?: AbortSignal): Promise<LinkStream> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined || this.#isLeaving || this.#last === lastStream) {
        reject(new Error(this.#end?.reason ?? 'the link takes no new streams'))
        return
      }
      this.#last += 1
      const id = this.#last
      if (id === lastStream) this.#lose('the link has had all the streams it can have')
      const stream = new LinkStream(id, this.#carrier)
      const giveUp = () => stream.destroy(new Error('gave up'))
      const late = setTimeout(() => stream.destroy(new StreamUnanswered('no answer in time')), withinMs)
      const settled = () => {
        clearTimeout(late)
        signal?.removeEventListener('abort', giveUp)
      }
      // Before it is accepted the rejection tells what happened.
      stream.on('error', isSeenAsClose)
      this.#asked.set(id, {
        stream,
        resolve: () => {
          settled()
          resolve(stream)
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      })
      this.#say('open', id, wish)
      signal?.addEventListener('abort', giveUp, { once: true })
      if (signal?.aborted) giveUp()
    })
  }

  accept(stream: LinkStream): void {
    if (!this.#unanswered.delete(stream.id)) return
    this.#streams.set(stream.id, stream)
    this.#say('accept', stream.id)
  }

  /** `body` is what the peer's StreamRefused will carry. */
  refuse(stream: LinkStream, status: number, body: string): void {
    if (!this.#unanswered.delete(stream.id)) return
    const words = Buffer.from(body)
    const payload = Buffer.allocUnsafe(Math.min(2 + words.length, longestPayload))
    payload.writeUInt16BE(status)
    words.copy(payload, 2)
    this.#say('refuse', stream.id, payload)
    stream.destroy()
  }

  /** Resolves when the peer has answered: bytes pass both ways. */
  async reach(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#onPong.push(resolve)
      this.over.then(({ reason }) => reject(new Error(reason)), reject)
      this.#say('ping', 0)
    })
  }

  /** No new streams; the socket is closed when the last one is over. */
  leave(reason: string): void {
    if (this.#isLeaving) return
    this.#isLeaving = true
    this.#say('goAway', 0, reasonPayload(reason))
    this.#closeIfIdle()
  }

  /** Breaks all streams. */
  destroy(reason: string, violation = false): void {
    this.#end ??= { reason, violation }
    this.#socket.destroy()
  }

  #listen(head: Buffer | undefined): void {
    const socket = this.#socket
    const read = createFrameReader(this.#sink())
    const receive = (chunk: Buffer) => {
      if (this.#end !== undefined) return
      try {
        read(chunk)
      } catch (error) {
        if (!(error instanceof LinkViolation)) throw error
        this.destroy(error.message, true)
      }
    }
    socket.on('error', (error) => this.destroy(reasonOf(error)))
    socket.on('end', () => this.destroy('connection closed by the other side'))
    socket.on('drain', () => {
      this.#isFull = false
      if (socket.isPaused()) socket.resume()
      this.#send()
    })
    if (head !== undefined && head.length > 0) receive(head)
    socket.on('data', receive)
    socket.resume()
  }

  #sink(): FrameSink {
    return {
      data: (id, part) => {
        if (this.#end !== undefined) return
        this.#mayArrive -= part.length
        if (this.#mayArrive < 0) throw new LinkViolation('more data than the window of the link')
        const stream = this.#streams.get(id)
        if (stream !== undefined) stream.receive(part)
        else {
          if (id > this.#last || this.#unanswered.has(id) || this.#asked.has(id)) throw isNotOpen('data', id)
          // It is over here, which the peer could not know.
          this.#took(part.length)
        }
      },
      frame: (type, id, payload) => {
        if (this.#end === undefined) this.#receive(type, id, payload)
      },
    }
  }

  #receive(type: ControlType, id: number, payload: Buffer): void {
    switch (type) {
      case 'open':
        return this.#receiveOpen(id, payload)
      case 'accept':
      case 'refuse':
        return this.#receiveAnswer(type, id, payload)
      case 'end':
        return this.#streamOf(type, id)?.receiveEnd()
      case 'reset':
        return this.#receiveReset(id, payload)
      case 'window':
        if (id !== 0) return this.#streamOf(type, id)?.receiveWindow(payload.readUInt32BE())
        this.#mayBeSent += payload.readUInt32BE()
        if (this.#mayBeSent > linkWindow) throw new LinkViolation('granted more than the window of the link')
        return this.#schedule()
      case 'ping':
        return this.#say('pong', 0)
      case 'pong':
        for (const resolve of this.#onPong.splice(0)) resolve()
        return undefined
      case 'goAway':
        this.#isLeaving = true
        this.#lose(payload.toString())
        return this.#closeIfIdle()
      case 'deaf':
        return this.#streamOf(type, id)?.receiveDeaf()
      default:
        return type satisfies never
    }
  }

  #receiveOpen(id: number, wish: Buffer): void {
    const { onOpen } = this.#options
    if (onOpen === undefined) throw new LinkViolation('this end of the link accepts no streams')
    if (id <= this.#last) throw new LinkViolation(`stream ${id} was opened after stream ${this.#last}`)
    this.#last = id
    // It may have been asked before the peer heard that this end is leaving: it will ask again elsewhere.
    if (this.#isLeaving) return this.#say('reset', id, reasonPayload('going away'))
    const stream = new LinkStream(id, this.#carrier)
    stream.on('error', isSeenAsClose)
    this.#unanswered.set(id, stream)
    return onOpen(stream, wish)
  }

  #receiveAnswer(type: 'accept' | 'refuse', id: number, payload: Buffer): void {
    const asked = this.#asked.get(id)
    if (asked === undefined) {
      // Given up before the answer came.
      if (this.#options.onOpen !== undefined || id > this.#last || this.#streams.has(id)) throw isNotOpen(type, id)
      return undefined
    }
    this.#asked.delete(id)
    if (type === 'accept') {
      this.#streams.set(id, asked.stream)
      return asked.resolve(asked.stream)
    }
    asked.reject(new StreamRefused(payload))
    asked.stream.receiveReset('refused')
    return undefined
  }

  #receiveReset(id: number, payload: Buffer): void {
    if (id > this.#last) throw isNotOpen('reset', id)
    const stream = this.#streams.get(id) ?? this.#unanswered.get(id) ?? this.#asked.get(id)?.stream
    stream?.receiveReset(payload.toString() || 'the other side broke off')
  }

  /** undefined: it is over here, which the peer could not know. */
  #streamOf(type: ControlType, id: number): LinkStream | undefined {
    const stream = this.#streams.get(id)
    if (stream === undefined && (id > this.#last || this.#unanswered.has(id) || this.#asked.has(id)))
      throw isNotOpen(type, id)
    return stream
  }

  #forget(stream: LinkStream, broken: string | undefined): void {
    const { id } = stream
    const isKnown = this.#streams.delete(id) || this.#unanswered.delete(id)
    const asked = this.#asked.get(id)
    if (asked !== undefined) {
      this.#asked.delete(id)
      asked.reject(stream.errored ?? new Error('the stream was closed'))
    }
    if (broken !== undefined && (isKnown || asked !== undefined)) this.#say('reset', id, reasonPayload(broken))
    this.#closeIfIdle()
  }

  #took(bytes: number): void {
    this.#taken += bytes
    if (this.#taken < linkWindow / 2) return
    this.#mayArrive += this.#taken
    this.#say('window', 0, windowPayload(this.#taken))
    this.#taken = 0
  }

  #say(type: ControlType, id: number, payload?: Buffer): void {
    if (this.#end !== undefined) return
    this.#outbox.frame(type, id, payload)
    if (this.#outbox.bytes > mostUnsent) this.#socket.pause()
    this.#schedule()
  }

  #wants(stream: LinkStream): void {
    if (stream.isInLine) return
    stream.isInLine = true
    this.#line.push(stream)
    this.#schedule()
  }

  /** After all sockets that have something have been looked at: so the frames of many streams become one write. */
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
    while (!this.#isFull && this.#end === undefined) {
      this.#isSending = true
      this.#fill()
      this.#isSending = false
      if (this.#outbox.bytes === 0) break
      this.#write(this.#outbox.take())
    }
    this.#closeIfIdle()
  }

  /** One turn: a frame of each stream in line, as long as there is room. */
  #fill(): void {
    let turns = this.#line.length
    while (turns > 0 && this.#outbox.bytes < turnBytes) {
      turns -= 1
      const stream = this.#line[0]
      if (stream === undefined) return
      // Nothing that carries data can leave now; ends wait with it, so that order needs no thought.
      if (this.#mayBeSent === 0) return
      this.#line.shift()
      stream.isInLine = false
      if (!stream.hasFrame) continue
      this.#mayBeSent -= stream.putFrame(this.#outbox, this.#mayBeSent)
      if (stream.hasFrame) this.#wants(stream)
    }
  }

  #write(pieces: readonly Buffer[]): void {
    const socket = this.#socket
    if (pieces.length > 1) socket.cork()
    for (const piece of pieces) if (!socket.write(piece)) this.#isFull = true
    if (pieces.length > 1) socket.uncork()
  }

  /** Any byte that arrived since tells that the peer is there; its pong may queue behind much else. */
  #ping(): void {
    const { bytesRead } = this.#socket
    this.#say('ping', 0)
    setTimeout(() => {
      if (this.#socket.bytesRead === bytesRead) this.destroy(`no answer for ${this.#options.pongWithinMs / 1000} s`)
    }, this.#options.pongWithinMs).unref()
  }

  #closeIfIdle(): void {
    if (this.#isLeaving && this.streams === 0 && this.#outbox.bytes === 0 && !this.#socket.writableEnded)
      this.#socket.end()
  }

  /** The socket is gone. */
  #close(): LinkEnd {
    this.#end ??= { reason: 'connection closed by the other side', violation: false }
    clearInterval(this.#beat)
    this.#lose(this.#end.reason)
    const { reason } = this.#end
    for (const stream of [...this.#streams.values(), ...this.#unanswered.values()]) stream.receiveReset(reason)
    for (const { stream } of [...this.#asked.values()]) stream.receiveReset(reason)
    return this.#end
  }
}

function isNotOpen(type: string, id: number): LinkViolation {
  return new LinkViolation(`a frame "${type}" for stream ${id}, which is not open`)
}

/** Every error of a stream is followed by its close; without a listener it would end the process. */
function isSeenAsClose(): void {}
