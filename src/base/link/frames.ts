/**
 * The frames of a link: how two ends of one socket share it for many streams. Bytes in, frames out; what they mean for a
 * stream is multiplexer.ts' business. docs/decisions/link.md has the format in words.
 *
 *     byte 0      type
 *     bytes 1-3   length of the payload, big-endian
 *     bytes 4-7   the stream, big-endian; 0 for the link itself
 */

export const headerBytes = 8
/** No payload is longer: so one stream holds up the others for one frame at most. */
export const longestPayload = 64 * 1024
export const longestReason = 1024

export const frameTypes = {
  /** The opener asks for a stream; the payload says what for. */
  open: 1,
  accept: 2,
  /** Two bytes of status, then why. */
  refuse: 3,
  data: 4,
  /** No more data in this direction. */
  end: 5,
  /** The stream is broken off, both ways; why. */
  reset: 6,
  /** So many bytes more may be sent, of the stream or of all together. */
  window: 7,
  ping: 8,
  pong: 9,
  /** Open streams may finish, new ones belong on another link; why. */
  goAway: 10,
  /** Sent after `end`: nothing more is taken from the peer either. */
  deaf: 11,
} as const

export type FrameType = keyof typeof frameTypes
/** Every type but `data`, whose payload is handed on in the parts in which it arrives. */
export type ControlType = Exclude<FrameType, 'data'>

interface Shape {
  readonly name: FrameType
  readonly least: number
  readonly most: number
  readonly about: 'link' | 'stream' | 'both'
}

const shapes: readonly (Shape | undefined)[] = [
  undefined,
  { name: 'open', least: 1, most: longestPayload, about: 'stream' },
  { name: 'accept', least: 0, most: 0, about: 'stream' },
  { name: 'refuse', least: 2, most: longestPayload, about: 'stream' },
  { name: 'data', least: 1, most: longestPayload, about: 'stream' },
  { name: 'end', least: 0, most: 0, about: 'stream' },
  { name: 'reset', least: 0, most: longestReason, about: 'stream' },
  { name: 'window', least: 4, most: 4, about: 'both' },
  { name: 'ping', least: 0, most: 0, about: 'link' },
  { name: 'pong', least: 0, most: 0, about: 'link' },
  { name: 'goAway', least: 0, most: longestReason, about: 'link' },
  { name: 'deaf', least: 0, most: 0, about: 'stream' },
]

/** The peer does not keep to what was agreed: the whole link is cut, with this sentence. */
export class LinkViolation extends Error {
  override readonly name = 'LinkViolation'
}

export interface FrameSink {
  /** A part of what a stream's peer sends. */
  data(stream: number, part: Buffer): void
  frame(type: ControlType, stream: number, payload: Buffer): void
}

const nothing = Buffer.alloc(0)

/** Give it what arrives, in whatever pieces. Throws `LinkViolation`, and must not be called again then. */
export function createFrameReader(sink: FrameSink): (chunk: Buffer) => void {
  const head = Buffer.alloc(headerBytes)
  let headLength = 0
  /** Of the frame whose payload is being read. */
  let type: FrameType = 'data'
  let stream = 0
  let left = 0
  /** The beginning of a payload that did not arrive in one piece; not for data. */
  let gathered: Buffer | undefined

  function begin(first: number, second: number): void {
    const shape = shapes[first >>> 24]
    if (shape === undefined) throw new LinkViolation(`a frame of the unknown type ${first >>> 24}`)
    left = first & 0xff_ff_ff
    if (left < shape.least || left > shape.most)
      throw new LinkViolation(
        `a frame "${shape.name}" of ${left} bytes: from ${shape.least} to ${shape.most} are allowed`,
      )
    if (shape.about !== 'both' && (second === 0) !== (shape.about === 'link'))
      throw new LinkViolation(`a frame "${shape.name}" for ${second === 0 ? 'no stream' : `stream ${second}`}`)
    type = shape.name
    stream = second
    if (left === 0) deliver(nothing)
  }

  function deliver(payload: Buffer): void {
    if (type !== 'data') sink.frame(type, stream, payload)
  }

  function gather(part: Buffer): void {
    if (gathered === undefined && left === 0) {
      deliver(part)
      return
    }
    gathered ??= Buffer.allocUnsafe(part.length + left)
    part.copy(gathered, gathered.length - left - part.length)
    if (left > 0) return
    const payload = gathered
    gathered = undefined
    deliver(payload)
  }

  return (chunk) => {
    let at = 0
    while (at < chunk.length) {
      if (left > 0) {
        const part = chunk.subarray(at, at + left)
        at += part.length
        left -= part.length
        if (type === 'data') sink.data(stream, keepable(part, chunk))
        else gather(part)
      } else if (headLength === 0 && chunk.length - at >= headerBytes) {
        at += headerBytes
        begin(chunk.readUInt32BE(at - headerBytes), chunk.readUInt32BE(at - headerBytes + 4))
      } else {
        const copied = chunk.copy(head, headLength, at)
        at += copied
        headLength += copied
        if (headLength < headerBytes) return
        headLength = 0
        begin(head.readUInt32BE(0), head.readUInt32BE(4))
      }
    }
  }
}

/**
 * A part is a view into everything that was read with it. Whoever keeps a few bytes of it (a name out of a greeting) must
 * not keep 64 KiB alive by that: a small part of a large chunk is copied.
 */
function keepable(part: Buffer, chunk: Buffer): Buffer {
  return chunk.length > 8192 && part.length * 8 < chunk.length ? Buffer.from(part) : part
}

/** Writes a header at `at`. */
export function writeHeader(bytes: Buffer, at: number, type: FrameType, stream: number, length: number): void {
  bytes.writeUInt32BE(((frameTypes[type] << 24) | length) >>> 0, at)
  bytes.writeUInt32BE(stream, at + 4)
}

/** The payload of a `window`. */
export function windowPayload(bytes: number): Buffer {
  const payload = Buffer.allocUnsafe(4)
  payload.writeUInt32BE(bytes)
  return payload
}

/** As much of a reason as a frame may carry; cut inside a character, that one reads as unknown. */
export function reasonPayload(reason: string): Buffer {
  return Buffer.from(reason).subarray(0, longestReason)
}
