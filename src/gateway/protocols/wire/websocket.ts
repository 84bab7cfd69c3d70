/**
 * WebSocket frames (RFC 6455, section 5) of a connection that passes through: read as they come, in parts that need not be
 * whole frames, so that a message of any length needs no memory; written anew as frames of their own. Strict: no extension
 * is spoken (whoever relays takes Sec-WebSocket-Extensions off the handshake), and what breaks a rule ends it. Pure.
 */
import { type HoopError, hoopError } from '../../../contract/error-codes.ts'

export type WebSocketPart =
  /** A piece of a message: `begins` with its first one, `ends` with its last. A frame may come as several pieces. */
  | {
      readonly kind: 'data'
      readonly type: 'text' | 'binary'
      readonly bytes: Buffer
      readonly begins: boolean
      readonly ends: boolean
    }
  | { readonly kind: 'ping' | 'pong'; readonly bytes: Buffer }
  /** The peer says nothing more. What comes behind it is not read. */
  | { readonly kind: 'close'; readonly code: number | undefined; readonly reason: string }

export interface WebSocketReader {
  /** What these bytes complete or go on with. Throws a HoopError `protocol-error`; there is no going on after that. */
  read(chunk: Buffer): Generator<WebSocketPart, void, undefined>
  /** The peer has closed it: what comes is not read any more. */
  readonly closed: boolean
}

/** Four bytes, anew for every frame that goes to a server (section 5.3); `createMaskKeys` makes them. */
export type NextMaskKey = () => Buffer

export interface WebSocketWriter {
  /** A frame that begins, goes on with or ends a message. */
  data(part: Pick<WebSocketPart & { kind: 'data' }, 'type' | 'bytes' | 'begins' | 'ends'>): Buffer[]
  /** The same with the payload in two: what a protocol on top puts before the bytes need not be copied together with them. */
  message(type: 'text' | 'binary', ...bytes: readonly Buffer[]): Buffer[]
  control(kind: 'ping' | 'pong', bytes: Buffer): Buffer[]
  close(code: number | undefined, reason?: string): Buffer[]
}

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
const longestHead = 14
const longestControl = 125
const nothing: Buffer = Buffer.alloc(0)

interface Frame {
  readonly opcode: number
  readonly fin: boolean
  readonly key: Buffer | undefined
  readonly length: number
  readonly headLength: number
}

export function createWebSocketReader({ from }: { readonly from: 'client' | 'server' }): WebSocketReader {
  /** Of a head, or of a control frame, that has not come whole. */
  let begun = nothing
  let frame: Frame | undefined
  /** So much of the frame's payload has been read. */
  let taken = 0
  /** What the message that has begun consists of; undefined between messages. */
  let type: 'text' | 'binary' | undefined
  let hasBegun = false
  let closed = false

  function* read(chunk: Buffer): Generator<WebSocketPart, void, undefined> {
    let bytes = begun.length === 0 ? chunk : Buffer.concat([begun, chunk])
    begun = nothing
    while (!closed) {
      if (frame === undefined) {
        const next = readHead(bytes, from)
        if (next === undefined) break
        begin(next)
        bytes = bytes.subarray(next.headLength)
        frame = next
        taken = 0
      }
      const { opcode, length, key } = frame
      if (isControl(opcode) && bytes.length < length) break
      const piece = bytes.subarray(0, length - taken)
      // An empty frame is a piece too: it may begin or end a message.
      if (piece.length === 0 && length > 0) break
      bytes = bytes.subarray(piece.length)
      const plain = key === undefined ? piece : masked(piece, key, taken)
      taken += piece.length
      const whole = frame
      if (taken === length) frame = undefined
      yield isControl(opcode) ? control(opcode, plain) : data(whole, plain)
    }
    if (!closed) begun = bytes
  }

  function begin({ opcode }: Frame): void {
    if (isControl(opcode)) return
    if (opcode === opcodes.continuation && type === undefined) throw broken('a fragment without a message')
    if (opcode === opcodes.continuation) return
    if (type !== undefined) throw broken('a message within a message')
    type = opcode === opcodes.text ? 'text' : 'binary'
    hasBegun = false
  }

  function data({ fin, length }: Frame, bytes: Buffer): WebSocketPart {
    if (type === undefined) throw broken('a fragment without a message')
    const part = { kind: 'data', type, bytes, begins: !hasBegun, ends: fin && taken === length } as const
    hasBegun = true
    if (part.ends) type = undefined
    return part
  }

  function control(opcode: number, bytes: Buffer): WebSocketPart {
    if (opcode !== opcodes.close) return { kind: opcode === opcodes.ping ? 'ping' : 'pong', bytes }
    closed = true
    return readClose(bytes)
  }

  return {
    read,
    get closed() {
      return closed
    },
  }
}

/** To a server frames go masked (section 5.1), to a client they do not. */
export function createWebSocketWriter(key?: NextMaskKey): WebSocketWriter {
  function frame(opcode: number, fin: boolean, payload: readonly Buffer[]): Buffer[] {
    const length = payload.reduce((sum, { length }) => sum + length, 0)
    const first = (fin ? 0x80 : 0) | opcode
    if (key === undefined) return [headOf(first, length), ...payload.filter(({ length }) => length > 0)]
    const mask = key()
    return [headOf(first, length, mask), ...maskedTogether(payload, length, mask)]
  }

  return {
    data({ type, bytes, begins, ends }) {
      return frame(begins ? opcodes[type] : opcodes.continuation, ends, [bytes])
    },
    message: (type, ...bytes) => frame(opcodes[type], true, bytes),
    control: (kind, bytes) => frame(opcodes[kind], true, [bytes]),
    close(code, reason = '') {
      if (code === undefined) return frame(opcodes.close, true, [])
      const bytes = Buffer.alloc(2)
      bytes.writeUInt16BE(code)
      return frame(opcodes.close, true, [bytes, cutText(reason, longestControl - 2)])
    },
  }
}

/** Keys cut from a pool of random bytes: asking the system for four bytes at a time costs more than the frame. */
export function createMaskKeys(random: (bytes: number) => Buffer): NextMaskKey {
  const poolBytes = 4096
  let pool = nothing
  return () => {
    if (pool.length === 0) pool = random(poolBytes)
    const key = pool.subarray(0, 4)
    pool = pool.subarray(4)
    return key
  }
}

/** undefined: it has not come whole. */
function readHead(bytes: Buffer, from: 'client' | 'server'): Frame | undefined {
  const [first, second] = bytes
  if (first === undefined || second === undefined) return undefined
  const opcode = first & 0x0f
  const fin = (first & 0x80) !== 0
  if ((first & 0x70) !== 0) throw broken('an extension that was not agreed on')
  if (!Object.values<number>(opcodes).includes(opcode)) throw broken(`frames of kind ${opcode} are not known`)
  const isMasked = (second & 0x80) !== 0
  if (isMasked !== (from === 'client')) throw broken(isMasked ? 'a server masks nothing' : 'a client masks all it says')
  const short = second & 0x7f
  if (isControl(opcode) && !fin) throw broken('a control frame in fragments')
  if (isControl(opcode) && short > longestControl) throw broken('a control frame that is too long')
  const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0
  const headLength = 2 + lengthBytes + (isMasked ? 4 : 0)
  if (bytes.length < headLength) return undefined
  const length = lengthBytes === 8 ? longLength(bytes) : lengthBytes === 2 ? bytes.readUInt16BE(2) : short
  // "the minimal number of bytes MUST be used": two ways to say one length are one too many.
  if ((lengthBytes === 2 && length < 126) || (lengthBytes === 8 && length <= 0xffff))
    throw broken('a length with more bytes than it needs')
  const key = isMasked ? Buffer.from(bytes.subarray(headLength - 4, headLength)) : undefined
  return { opcode, fin, key, length, headLength }
}

function longLength(bytes: Buffer): number {
  const length = bytes.readBigUInt64BE(2)
  if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw broken('a frame that is too long')
  return Number(length)
}

function readClose(bytes: Buffer): WebSocketPart {
  if (bytes.length === 0) return { kind: 'close', code: undefined, reason: '' }
  if (bytes.length === 1) throw broken('half a close code')
  const code = bytes.readUInt16BE(0)
  if (!isCloseCode(code)) throw broken(`nobody closes with ${code}`)
  return { kind: 'close', code, reason: textOf(bytes.subarray(2)) }
}

/** Section 7.4, and the registry that it opens. */
function isCloseCode(code: number): boolean {
  return (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999)
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw broken('a reason that is not UTF-8', cause)
  }
}

function headOf(first: number, length: number, key?: Buffer): Buffer {
  const head = Buffer.allocUnsafe(longestHead)
  const mask = key === undefined ? 0 : 0x80
  head[0] = first
  let at = 2
  if (length < 126) head[1] = mask | length
  else if (length <= 0xffff) {
    head[1] = mask | 126
    at = head.writeUInt16BE(length, 2)
  } else {
    head[1] = mask | 127
    at = head.writeBigUInt64BE(BigInt(length), 2)
  }
  if (key !== undefined) at += key.copy(head, at)
  return head.subarray(0, at)
}

function maskedTogether(payload: readonly Buffer[], length: number, key: Buffer): Buffer[] {
  if (length === 0) return []
  const [only] = payload
  const together = payload.length === 1 && only !== undefined ? only : Buffer.concat(payload, length)
  return [masked(together, key, 0)]
}

/** The same both ways. `shift`: so much of the payload came before. */
function masked(bytes: Buffer, key: Buffer, shift: number): Buffer {
  const out = Buffer.allocUnsafe(bytes.length)
  const of = (at: number) => key[(shift + at) & 3] as number
  const [a, b, c, d] = [of(0), of(1), of(2), of(3)]
  const whole = bytes.length & ~3
  // Typed arrays are never shorter than their length: the casts say so to the compiler.
  for (let at = 0; at < whole; at += 4) {
    out[at] = (bytes[at] as number) ^ a
    out[at + 1] = (bytes[at + 1] as number) ^ b
    out[at + 2] = (bytes[at + 2] as number) ^ c
    out[at + 3] = (bytes[at + 3] as number) ^ d
  }
  for (let at = whole; at < bytes.length; at += 1) out[at] = (bytes[at] as number) ^ of(at)
  return out
}

/** Cut at the end of a character. */
function cutText(text: string, most: number): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length <= most) return bytes
  let end = most
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end)
}

function isControl(opcode: number): boolean {
  return opcode >= 8
}

function broken(what: string, cause?: unknown): HoopError {
  return hoopError('protocol-error', `not a WebSocket that can be followed: ${what}`, { cause })
}
