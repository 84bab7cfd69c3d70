/**
 * Many streams over one socket. One end opens them, the other accepts or refuses each. When the socket goes, all streams
 * break: an end is only what was said to be one. The frames are frames.ts' business, their leaving sender.ts'.
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
import { linkWindow, Sender } from './sender.ts'
import { type Carrier, LinkStream } from './stream.ts'

const lastStream = 0xff_ff_ff_ff
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
  readonly #sender: Sender
  readonly #carrier: Carrier
  readonly #beat: NodeJS.Timeout
  readonly #onPong: (() => void)[] = []
  #last = 0
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
    this.#sender = new Sender(socket, () => this.#closeIfIdle())
    this.#carrier = {
      wants: (stream) => this.#sender.lineUp(stream),
      taken: (bytes) => this.#took(bytes),
      grant: (stream, bytes) => this.#sender.say('window', stream.id, windowPayload(bytes)),
      over: (stream, broken) => this.#forget(stream, broken),
      deaf: (stream) => this.#sender.say('deaf', stream.id),
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
      this.#sender.say('open', id, wish)
      signal?.addEventListener('abort', giveUp, { once: true })
      if (signal?.aborted) giveUp()
    })
  }

  accept(stream: LinkStream): void {
    if (!this.#unanswered.delete(stream.id)) return
    this.#streams.set(stream.id, stream)
    this.#sender.say('accept', stream.id)
  }

  /** `body` is what the peer's StreamRefused will carry. */
  refuse(stream: LinkStream, status: number, body: string): void {
    if (!this.#unanswered.delete(stream.id)) return
    const words = Buffer.from(body)
    const payload = Buffer.allocUnsafe(Math.min(2 + words.length, longestPayload))
    payload.writeUInt16BE(status)
    words.copy(payload, 2)
    this.#sender.say('refuse', stream.id, payload)
    stream.destroy()
  }

  /** Resolves when the peer has answered: bytes pass both ways. */
  async reach(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#onPong.push(resolve)
      this.over.then(({ reason }) => reject(new Error(reason)), reject)
      this.#sender.say('ping', 0)
    })
  }

  /** No new streams; the socket is closed when the last one is over. */
  leave(reason: string): void {
    if (this.#isLeaving) return
    this.#isLeaving = true
    this.#sender.say('goAway', 0, reasonPayload(reason))
    this.#closeIfIdle()
  }

  /** Breaks all streams. */
  destroy(reason: string, violation = false): void {
    this.#end ??= { reason, violation }
    this.#sender.stop()
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

  #receive(kind: ControlType, id: number, payload: Buffer): void {
    switch (kind) {
      case 'open':
        this.#receiveOpen(id, payload)
        break
      case 'accept':
      case 'refuse':
        this.#receiveAnswer(kind, id, payload)
        break
      case 'end':
        this.#streamOf(kind, id)?.receiveEnd()
        break
      case 'reset':
        this.#receiveReset(id, payload)
        break
      case 'window':
        if (id === 0) this.#sender.granted(payload.readUInt32BE())
        else this.#streamOf(kind, id)?.receiveWindow(payload.readUInt32BE())
        break
      case 'ping':
        this.#sender.say('pong', 0)
        break
      case 'pong':
        for (const resolve of this.#onPong.splice(0)) resolve()
        break
      case 'goAway':
        this.#isLeaving = true
        this.#lose(payload.toString())
        this.#closeIfIdle()
        break
      case 'deaf':
        this.#streamOf(kind, id)?.receiveDeaf()
        break
      default:
        kind satisfies never
    }
  }

  #receiveOpen(id: number, wish: Buffer): void {
    const { onOpen } = this.#options
    if (onOpen === undefined) throw new LinkViolation('this end of the link accepts no streams')
    if (id <= this.#last) throw new LinkViolation(`stream ${id} was opened after stream ${this.#last}`)
    this.#last = id
    // It may have been asked before the peer heard that this end is leaving: it will ask again elsewhere.
    if (this.#isLeaving) {
      this.#sender.say('reset', id, reasonPayload('going away'))
      return
    }
    const stream = new LinkStream(id, this.#carrier)
    stream.on('error', isSeenAsClose)
    this.#unanswered.set(id, stream)
    onOpen(stream, wish)
  }

  #receiveAnswer(type: 'accept' | 'refuse', id: number, payload: Buffer): void {
    const asked = this.#asked.get(id)
    if (asked === undefined) {
      if (this.#options.onOpen !== undefined || id > this.#last || this.#streams.has(id)) throw isNotOpen(type, id)
      // Given up before the answer came.
      return
    }
    this.#asked.delete(id)
    if (type === 'accept') {
      this.#streams.set(id, asked.stream)
      asked.resolve(asked.stream)
    } else {
      asked.reject(new StreamRefused(payload))
      asked.stream.receiveReset('refused')
    }
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
    if (broken !== undefined && (isKnown || asked !== undefined)) this.#sender.say('reset', id, reasonPayload(broken))
    this.#closeIfIdle()
  }

  #took(bytes: number): void {
    this.#taken += bytes
    if (this.#taken < linkWindow / 2) return
    this.#mayArrive += this.#taken
    this.#sender.say('window', 0, windowPayload(this.#taken))
    this.#taken = 0
  }

  /** Any byte that arrived since tells that the peer is there; its pong may queue behind much else. */
  #ping(): void {
    const { bytesRead } = this.#socket
    this.#sender.say('ping', 0)
    setTimeout(() => {
      if (this.#socket.bytesRead === bytesRead) this.destroy(`no answer for ${this.#options.pongWithinMs / 1000} s`)
    }, this.#options.pongWithinMs).unref()
  }

  #closeIfIdle(): void {
    if (this.#isLeaving && this.streams === 0 && this.#sender.isEmpty && !this.#socket.writableEnded) this.#socket.end()
  }

  /** The socket is gone. */
  #close(): LinkEnd {
    this.#end ??= { reason: 'connection closed by the other side', violation: false }
    this.#sender.stop()
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
