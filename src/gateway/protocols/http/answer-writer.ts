/**
 * Writes answers to a client, one after another: head and a small body leave as one write, and what arrives in one turn
 * leaves in one turn, so that nothing (server-sent events) waits for more to come.
 */
import type { Duplex } from 'node:stream'
import type { AnswerHead, Fields, OwnAnswer } from './exchange.ts'
import { type Asked, bareHeadText, type Framing, framingOf, headText, trailerText } from './framing.ts'
import type { Sink } from './sink.ts'

/** Up to here copying is cheaper than a write of its own. */
const smallBytes = 16 * 1024

export interface Wish extends Asked {
  readonly keepAlive: boolean
  readonly takesTrailers: boolean
}

export class AnswerWriter implements Sink {
  onRoom: (() => void) | undefined
  hasBegun = false
  /** The connection has to end behind this answer. */
  lastOne = false
  readonly #socket: Duplex
  #wish: Wish = { method: 'GET', version: '1.1', keepAlive: false, takesTrailers: false }
  #framing: Framing = 'none'
  #left = 0
  #head = ''
  #parts: Buffer[] = []
  #bytes = 0
  #willFlush = false

  constructor(socket: Duplex) {
    this.#socket = socket
    socket.on('drain', () => this.onRoom?.())
  }

  /** The next answer is to this. */
  expect(wish: Wish): void {
    this.#wish = wish
    this.hasBegun = false
    this.lastOne = !wish.keepAlive
    this.onRoom = undefined
  }

  interim(head: AnswerHead): void {
    if (this.hasBegun || this.#wish.version === '1.0') return
    this.#write(Buffer.from(bareHeadText(head), 'latin1'))
  }

  head(head: AnswerHead): void {
    this.#begin(head, framingOf(this.#wish, head))
    this.#flushSoon()
  }

  /** Another protocol goes on from here: the one that the head names. */
  upgraded(head: AnswerHead): void {
    this.hasBegun = true
    const fields: Fields = [['Connection', 'Upgrade'], ...head.fields]
    this.#write(Buffer.from(bareHeadText({ ...head, fields }), 'latin1'))
  }

  data(bytes: Buffer): boolean {
    if (this.#framing === 'none' || bytes.length === 0) return true
    if (this.#framing === 'chunked') {
      this.#add(Buffer.from(`${bytes.length.toString(16)}\r\n`, 'latin1'))
      this.#add(bytes)
      this.#add(endOfLine)
    } else {
      // More than was announced would be read as the next answer.
      if (typeof this.#framing === 'object') {
        this.#left -= bytes.length
        if (this.#left < 0) {
          this.cut()
          return true
        }
      }
      this.#add(bytes)
    }
    if (this.#bytes >= 4 * smallBytes) this.#flush()
    else this.#flushSoon()
    return !this.#socket.writableNeedDrain
  }

  end(trailers: Fields): void {
    if (typeof this.#framing === 'object' && this.#left > 0) {
      this.cut()
      return
    }
    if (this.#framing === 'chunked') {
      const lines = this.#wish.takesTrailers && trailers.length > 0 ? trailerText(trailers) : ''
      this.#add(lines === '' ? lastChunk : Buffer.from(`0\r\n${lines}\r\n`, 'latin1'))
    }
    this.#flush()
  }

  cut(): void {
    this.lastOne = true
    this.#head = ''
    this.#parts = []
    this.#bytes = 0
    this.#socket.destroy()
  }

  /** The whole of an answer of the gateway's own; what was begun before it is an error of ours. */
  own(answer: OwnAnswer): void {
    const isBodiless = framingOf(this.#wish, answer) === 'none'
    this.#begin(answer, { bytes: answer.body.length })
    if (!isBodiless) this.#add(Buffer.from(answer.body))
    this.#flush()
  }

  #begin(head: AnswerHead, framing: Framing): void {
    this.hasBegun = true
    this.#framing = framing
    this.#left = typeof framing === 'object' ? framing.bytes : 0
    if (framing === 'close') this.lastOne = true
    this.#head = headText(head, framing, this.#wish, !this.lastOne)
    this.#bytes += this.#head.length
  }

  #add(bytes: Buffer): void {
    this.#parts.push(bytes)
    this.#bytes += bytes.length
  }

  #flushSoon(): void {
    if (this.#willFlush) return
    this.#willFlush = true
    process.nextTick(flushOf, this)
  }

  flushNow(): void {
    this.#willFlush = false
    this.#flush()
  }

  #flush(): void {
    if (this.#bytes === 0) return
    const head = this.#head
    const parts = this.#parts
    const bytes = this.#bytes
    this.#head = ''
    this.#parts = []
    this.#bytes = 0
    const [only] = parts
    if (head === '' && parts.length === 1 && only !== undefined) this.#write(only)
    else if (bytes <= smallBytes) this.#write(joined(head, parts, bytes))
    else {
      this.#socket.cork()
      if (head !== '') this.#write(Buffer.from(head, 'latin1'))
      for (const part of parts) this.#write(part)
      this.#socket.uncork()
    }
  }

  #write(bytes: Buffer): void {
    // Writing to a peer that is gone is no error: it is dropped.
    if (!this.#socket.destroyed && !this.#socket.writableEnded) this.#socket.write(bytes)
  }
}

const endOfLine = Buffer.from('\r\n')
const lastChunk = Buffer.from('0\r\n\r\n')

function flushOf(writer: AnswerWriter): void {
  writer.flushNow()
}

function joined(head: string, parts: readonly Buffer[], bytes: number): Buffer {
  const whole = Buffer.allocUnsafe(bytes)
  let at = whole.write(head, 0, 'latin1')
  for (const part of parts) at += part.copy(whole, at)
  return whole
}
