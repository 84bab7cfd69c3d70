/**
 * Bytes → requests (RFC 9112), incremental and without leniency: whatever two readers might understand differently is
 * refused, because the next reader is a target behind the judgement. Any cutting of the bytes gives the same result. No IO.
 */
import { ChunkedBody } from './chunked.ts'
import { Malformed } from './malformed.ts'
import { type ReadHead, readHead } from './request-head.ts'

export interface WireLimits {
  /** Of a head: request line and field lines together. */
  readonly headBytes: number
}

/** As nginx and Apache have it at most by default, times a few: tokens in cookies are large. */
export const wireLimits: WireLimits = { headBytes: 64 * 1024 }

const cr = 13
const lf = 10
const empty: Buffer = Buffer.alloc(0)
const endOfHead = Buffer.from('\r\n\r\n')

type State = { kind: 'head' } | { kind: 'counted'; left: number } | { kind: 'chunked'; body: ChunkedBody }

/** Bytes are pushed; `head` and `body` take what there is. Once one of them has thrown Malformed, nothing can be read any more. */
export class RequestReader {
  readonly #limits: WireLimits
  #bytes: Buffer = empty
  /** How far the bytes were looked through for the end of a head. */
  #looked = 0
  #state: State = { kind: 'head' }

  constructor(limits: WireLimits = wireLimits) {
    this.#limits = limits
  }

  push(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes])
  }

  /** Something has arrived that nobody has read: a head has begun, or a body is not over. */
  get hasBegun(): boolean {
    return this.#bytes.length > 0 || this.#state.kind !== 'head'
  }

  /** The body of the last request was read to its end. */
  get isBetween(): boolean {
    return this.#state.kind === 'head'
  }

  /** The next request's head; undefined: not there yet. The body of the one before has to be read first. */
  head(): ReadHead | undefined {
    if (this.#state.kind !== 'head') throw new Error('the body of the last request was not read')
    if (!this.#skipEmptyLines()) return undefined
    const end = this.#findEnd()
    if (end < 0) return undefined
    const head = readHead(this.#bytes.toString('latin1', 0, end))
    this.#take(end + endOfHead.length)
    this.#looked = 0
    const { body } = head.request
    if (body === 'chunked') this.#state = { kind: 'chunked', body: new ChunkedBody() }
    else if (body !== 'none' && body.bytes > 0) this.#state = { kind: 'counted', left: body.bytes }
    return head
  }

  /** The next part of the body; undefined: nothing more there yet, or (`isBetween`) it is over. */
  body(): Buffer | undefined {
    const state = this.#state
    if (state.kind === 'head') return undefined
    if (state.kind === 'counted') {
      if (this.#bytes.length === 0) return undefined
      const part = this.#take(Math.min(state.left, this.#bytes.length))
      state.left -= part.length
      if (state.left === 0) this.#state = { kind: 'head' }
      return part
    }
    const part = state.body.read(this.#bytes)
    this.#take(state.body.used)
    if (state.body.isOver) this.#state = { kind: 'head' }
    return part
  }

  /** What was pushed and not read: belongs to whoever goes on with the connection. */
  rest(): Buffer {
    return this.#take(this.#bytes.length)
  }

  #take(count: number): Buffer {
    const taken = this.#bytes.subarray(0, count)
    this.#bytes = count === this.#bytes.length ? empty : this.#bytes.subarray(count)
    return taken
  }

  /** Some clients send an empty line behind a body that nobody counts (RFC 9112, 2.2). False: there is nothing else yet. */
  #skipEmptyLines(): boolean {
    while (this.#looked === 0 && this.#bytes[0] === cr && this.#bytes[1] === lf) this.#take(2)
    return this.#bytes.length > (this.#bytes[0] === cr ? 1 : 0)
  }

  /** Where the empty line is; negative: not there yet. Throws as soon as it is clear that no good head will come. */
  #findEnd(): number {
    const bytes = this.#bytes
    // The end may have begun in what was looked through before.
    const found = bytes.indexOf(endOfHead, Math.max(0, this.#looked - endOfHead.length + 1))
    const { headBytes } = this.#limits
    const until = Math.min(found < 0 ? bytes.length : found, headBytes)
    refuseBareEnds(bytes, Math.max(0, this.#looked - 1), until, until === found)
    if (bytes.length >= headBytes && (found < 0 || found > headBytes - endOfHead.length))
      throw new Malformed(431, `the head of the request is longer than ${headBytes} bytes`)
    this.#looked = until
    return found
  }
}

/** Each CR has its LF behind it and each LF its CR before: other ends of lines are what smuggling is made of. */
function refuseBareEnds(bytes: Buffer, from: number, until: number, isWhole: boolean): void {
  // No name of a method begins like that: a client of another protocol (TLS), which would never end its line.
  if (from === 0 && !isTokenByte(bytes[0])) throw new Malformed(400, 'this is not a request of HTTP')
  for (let at = bytes.indexOf(lf, from); at >= 0 && at < until; at = bytes.indexOf(lf, at + 1))
    if (at === 0 || bytes[at - 1] !== cr) throw new Malformed(400, 'a line of the head ends without CR')
  // The last byte may be a CR whose LF is still to come.
  const last = isWhole ? until : until - 1
  for (let at = bytes.indexOf(cr, from); at >= 0 && at < last; at = bytes.indexOf(cr, at + 1))
    if (bytes[at + 1] !== lf) throw new Malformed(400, 'a CR stands in the head without LF')
}

function isTokenByte(byte: number | undefined): boolean {
  return byte !== undefined && /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(String.fromCharCode(byte))
}
