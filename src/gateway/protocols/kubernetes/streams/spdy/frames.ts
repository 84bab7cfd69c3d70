/**
 * SPDY/3.1 frames (https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/), as far as Kubernetes uses them.
 * Read as they come, data in pieces that need not be whole frames; written anew as frames of their own. What this subset
 * does not know ends the connection. Pure.
 */
import { broken } from './broken.ts'
import { createHeaderReader, createHeaderWriter, type Headers } from './header-block.ts'

export type SpdyFrame =
  /** SYN_STREAM. `oneWay`: the other end says nothing on it. */
  | {
      readonly kind: 'open'
      readonly stream: number
      readonly associated: number
      readonly priority: number
      readonly headers: Headers
      readonly fin: boolean
      readonly oneWay: boolean
    }
  /** SYN_REPLY, and HEADERS. */
  | { readonly kind: 'reply' | 'headers'; readonly stream: number; readonly headers: Headers; readonly fin: boolean }
  /** A piece of what is said on a stream; `fin`: nothing more is. */
  | { readonly kind: 'data'; readonly stream: number; readonly bytes: Buffer; readonly fin: boolean }
  | { readonly kind: 'reset'; readonly stream: number; readonly status: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'goaway'; readonly lastStream: number; readonly status: number }
  | { readonly kind: 'window'; readonly stream: number; readonly delta: number }
  /** SETTINGS, as they stand there. */
  | { readonly kind: 'settings'; readonly bytes: Buffer }

export interface SpdyReader {
  /** What these bytes complete or go on with. Throws a HoopError `protocol-error`; there is no going on after that. */
  read(chunk: Buffer): Generator<SpdyFrame, void, undefined>
}

const types = { open: 1, reply: 2, reset: 3, settings: 4, ping: 6, goaway: 7, headers: 8, window: 9 } as const
const headBytes = 8
const longestControl = 32 * 1024
const finFlag = 1
const oneWayFlag = 2
const mostDataBytes = 0xffffff
const nothing: Buffer = Buffer.alloc(0)

export function createSpdyReader(): SpdyReader {
  const readHeaders = createHeaderReader()
  /** Of a frame's head, or of a control frame, that has not come whole. */
  let begun = nothing
  let data: { readonly stream: number; readonly fin: boolean; left: number } | undefined

  function* read(chunk: Buffer): Generator<SpdyFrame, void, undefined> {
    let bytes = begun.length === 0 ? chunk : Buffer.concat([begun, chunk])
    begun = nothing
    for (;;) {
      if (data !== undefined) {
        const piece = bytes.subarray(0, data.left)
        // An empty frame is a piece too: it may end its stream.
        if (piece.length === 0 && data.left > 0) break
        bytes = bytes.subarray(piece.length)
        data.left -= piece.length
        const { stream, fin, left } = data
        if (left === 0) data = undefined
        yield { kind: 'data', stream, bytes: piece, fin: fin && left === 0 }
        continue
      }
      if (bytes.length < headBytes) break
      const length = bytes.readUInt32BE(4) & 0xffffff
      if (((bytes[0] as number) & 0x80) === 0) {
        data = dataHead(bytes, length)
        bytes = bytes.subarray(headBytes)
        continue
      }
      if (length > longestControl) throw broken('a control frame that is too long')
      if (bytes.length < headBytes + length) break
      const frame = bytes.subarray(0, headBytes + length)
      bytes = bytes.subarray(headBytes + length)
      yield readControl(frame, readHeaders)
    }
    begun = bytes
  }
  return { read }
}

/** Frames have to leave in the order in which they were written: their headers count on those before. */
export function createSpdyWriter(): (frame: SpdyFrame) => Buffer[] {
  const writeHeaders = createHeaderWriter()
  return (frame) => {
    switch (frame.kind) {
      case 'data':
        return [...dataFrames(frame.stream, frame.bytes, frame.fin)]
      case 'open': {
        const flags = (frame.fin ? finFlag : 0) | (frame.oneWay ? oneWayFlag : 0)
        const own = [uint32(frame.stream), uint32(frame.associated), Buffer.from([frame.priority << 5, 0])]
        return control(types.open, flags, ...own, writeHeaders(frame.headers))
      }
      case 'reply':
      case 'headers':
        return control(types[frame.kind], frame.fin ? finFlag : 0, uint32(frame.stream), writeHeaders(frame.headers))
      case 'reset':
        return control(types.reset, 0, uint32(frame.stream), uint32(frame.status))
      case 'ping':
        return control(types.ping, 0, uint32(frame.id))
      case 'goaway':
        return control(types.goaway, 0, uint32(frame.lastStream), uint32(frame.status))
      case 'window':
        return control(types.window, 0, uint32(frame.stream), uint32(frame.delta))
      case 'settings':
        return control(types.settings, 0, frame.bytes)
      default:
        return frame satisfies never
    }
  }
}

function dataHead(bytes: Buffer, length: number) {
  const flags = bytes[4] as number
  if ((flags & ~finFlag) !== 0) throw broken('data with flags that are not known')
  return { stream: streamAt(bytes, 0), fin: flags === finFlag, left: length }
}

function readControl(frame: Buffer, readHeaders: (block: Buffer) => Headers): SpdyFrame {
  const version = frame.readUInt16BE(0) & 0x7fff
  if (version !== 3) throw broken(`version ${version}`)
  const type = frame.readUInt16BE(2)
  const flags = frame[4] as number
  const body = frame.subarray(headBytes)
  const allowed =
    type === types.open ? finFlag | oneWayFlag : type === types.reply || type === types.headers ? finFlag : 0
  // SETTINGS may say that earlier ones are to be forgotten; nobody here keeps any.
  if (type !== types.settings && (flags & ~allowed) !== 0) throw broken(`flags ${flags} of a frame of type ${type}`)
  const fin = (flags & finFlag) !== 0
  switch (type) {
    case types.open: {
      if (body.length < 10) throw cutOff()
      return {
        kind: 'open',
        stream: streamAt(body, 0),
        associated: body.readUInt32BE(4) & 0x7fffffff,
        priority: (body[8] as number) >> 5,
        headers: readHeaders(body.subarray(10)),
        fin,
        oneWay: (flags & oneWayFlag) !== 0,
      }
    }
    case types.reply:
    case types.headers:
      if (body.length < 4) throw cutOff()
      return {
        kind: type === types.reply ? 'reply' : 'headers',
        stream: streamAt(body, 0),
        headers: readHeaders(body.subarray(4)),
        fin,
      }
    case types.reset:
      return { kind: 'reset', stream: streamAt(exactly(body, 8), 0), status: body.readUInt32BE(4) }
    case types.ping:
      return { kind: 'ping', id: exactly(body, 4).readUInt32BE(0) }
    case types.goaway:
      exactly(body, 8)
      return { kind: 'goaway', lastStream: body.readUInt32BE(0) & 0x7fffffff, status: body.readUInt32BE(4) }
    case types.window:
      exactly(body, 8)
      return { kind: 'window', stream: body.readUInt32BE(0) & 0x7fffffff, delta: body.readUInt32BE(4) & 0x7fffffff }
    case types.settings:
      if (body.length < 4 || body.length !== 4 + 8 * body.readUInt32BE(0)) throw cutOff()
      return { kind: 'settings', bytes: body }
    default:
      throw broken(`frames of type ${type} are not known`)
  }
}

const cutOff = () => broken('a frame that is shorter or longer than it says')

function exactly(body: Buffer, length: number): Buffer {
  if (body.length !== length) throw cutOff()
  return body
}

function streamAt(bytes: Buffer, at: number): number {
  const stream = bytes.readUInt32BE(at) & 0x7fffffff
  if (stream === 0) throw broken('a frame of no stream')
  return stream
}

function* dataFrames(stream: number, bytes: Buffer, fin: boolean): Iterable<Buffer> {
  let at = 0
  do {
    const piece = bytes.subarray(at, at + mostDataBytes)
    at += piece.length
    const flags = fin && at === bytes.length ? finFlag : 0
    yield Buffer.concat([uint32(stream), uint32(((flags << 24) | piece.length) >>> 0)])
    if (piece.length > 0) yield piece
  } while (at < bytes.length)
}

function control(type: number, flags: number, ...body: readonly Buffer[]): Buffer[] {
  const length = body.reduce((sum, { length }) => sum + length, 0)
  const head = Buffer.allocUnsafe(headBytes)
  head.writeUInt16BE(0x8003, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt32BE(((flags << 24) | length) >>> 0, 4)
  return [Buffer.concat([head, ...body])]
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
