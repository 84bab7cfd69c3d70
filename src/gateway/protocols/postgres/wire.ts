/**
 * Bytes ↔ frames. A frame is one byte of type, four of length (which counts itself) and the rest. Lengths are checked
 * before they are trusted. A frame up to the limit for its type comes out whole; a longer one comes out in parts as its
 * bytes arrive, so that a value of a gigabyte passes through without being kept. Of types that come by the million, whole
 * frames that arrived together come out as one piece: a run.
 */
import { hoopError } from '../../../contract/error-codes.ts'

/** A whole frame (first and last), a part of one, or a run of whole ones. The bytes are those that arrived, headers included. */
export interface Piece {
  readonly type: number
  readonly bytes: Buffer
  /** Bytes of the whole frame (of all frames of a run), headers included. */
  readonly total: number
  /** How many frames begin in these bytes: one, more of one type (a run), or none (the rest of one). */
  readonly frames: number
  readonly first: boolean
  readonly last: boolean
}

export interface Cutter {
  feed(chunk: Buffer): void
  /** The next piece of what was fed; undefined when more bytes are needed. Throws `protocol-error`. */
  next(): Piece | undefined
  /** Bytes of an unfinished frame or header are waiting: an end now is an end in the middle. */
  readonly midFrame: boolean
}

export interface CutterSettings {
  /** Who sends: `the client`. */
  readonly from: string
  /**
   * The longest frame of this type that has to come out whole; undefined: there is no such type. Asked when the header
   * is read, not earlier, so that it may depend on the frames before it.
   */
  limit(type: number): number | undefined
  /** Do frames of this type come out in runs? Absent: none do. */
  runs?(type: number): boolean
}

/** PostgreSQL itself allows no longer message. */
const longestFrame = 0x3fffffff + 1
/** What the first part of a frame that comes in parts holds at least. */
export const beginningBytes = 64 * 1024
const headerBytes = 5

export function createCutter({ from, limit, runs = () => false }: CutterSettings): Cutter {
  let chunk: Buffer = Buffer.alloc(0)
  let at = 0
  /** Bytes kept from earlier chunks, of a frame whose first piece is not out yet. */
  let kept: Buffer[] = []
  let keptBytes = 0
  /** Of the frame whose header was read last: how much of it has to come out first (0: no header was read), … */
  let need = 0
  let type = 0
  let total = 0
  /** … and the longest of its type that comes out whole. */
  let longest = 0
  /** Bytes still to come of a frame that comes out in parts. */
  let rest = 0

  function take(bytes: number): Buffer {
    const slice = chunk.subarray(at, at + bytes)
    at += slice.length
    return slice
  }

  /** Exactly this many bytes, from before and now; undefined (and everything is kept) if there are not enough. */
  function gather(bytes: number): Buffer | undefined {
    if (keptBytes + chunk.length - at < bytes) {
      const slice = take(chunk.length - at)
      if (slice.length > 0) kept.push(slice)
      keptBytes += slice.length
      return undefined
    }
    if (keptBytes === 0) return take(bytes)
    kept.push(take(bytes - keptBytes))
    const whole = kept.length === 1 && kept[0] !== undefined ? kept[0] : Buffer.concat(kept)
    kept = []
    keptBytes = 0
    return whole
  }

  function readHeader(bytes: Buffer, start: number): void {
    type = bytes.readUInt8(start)
    const length = bytes.readInt32BE(start + 1)
    const whole = limit(type)
    if (whole === undefined)
      throw hoopError('protocol-error', `${from} sent a message of unknown type ${nameOfType(type)}`)
    if (length < 4) throw hoopError('protocol-error', `${from} sent a message that claims to be ${length} bytes long`)
    total = length + 1
    if (total > longestFrame) throw hoopError('protocol-error', `${from} sent a message of ${length} bytes: too long`)
    longest = Math.max(whole, beginningBytes)
    need = total <= longest ? total : beginningBytes
  }

  /** True once the header of the next frame is read; it stays in front of what `gather` gives. */
  function hasHeader(): boolean {
    if (need > 0) return true
    if (keptBytes === 0 && chunk.length - at >= headerBytes) {
      readHeader(chunk, at)
      return true
    }
    const header = gather(headerBytes)
    if (header === undefined) return false
    readHeader(header, 0)
    kept = [header]
    keptBytes = headerBytes
    return true
  }

  /** Of the frame that lies whole at the present place, and those of its type that follow it in the same chunk. */
  function takeRun(): Piece {
    let end = at + total
    let frames = 1
    // A length that is not to be trusted ends the run: it is dealt with as the header of the next frame.
    for (; chunk.length - end >= headerBytes && chunk[end] === type; frames++) {
      const next = end + 1 + chunk.readInt32BE(end + 1)
      if (next < end + headerBytes || next > chunk.length || next - end > longest) break
      end = next
    }
    const bytes = take(end - at)
    need = 0
    return { type, bytes, total: bytes.length, frames, first: true, last: true }
  }

  return {
    feed(bytes) {
      if (at < chunk.length) throw new Error('feed before all pieces were taken')
      chunk = bytes
      at = 0
    },
    next() {
      if (rest > 0) {
        if (at === chunk.length) return undefined
        const bytes = take(Math.min(rest, chunk.length - at))
        rest -= bytes.length
        return { type, total, bytes, frames: 0, first: false, last: rest === 0 }
      }
      if (!hasHeader()) return undefined
      if (keptBytes === 0 && need === total && chunk.length - at >= need && runs(type)) return takeRun()
      const bytes = gather(need)
      if (bytes === undefined) return undefined
      need = 0
      rest = total - bytes.length
      return { type, total, bytes, frames: 1, first: true, last: rest === 0 }
    },
    get midFrame() {
      return rest > 0 || need > 0 || keptBytes > 0
    },
  }
}

/** `"Q"`, or `0x07` for what cannot be printed. */
export function nameOfType(type: number): string {
  return type > 32 && type < 127 ? `"${String.fromCharCode(type)}"` : `0x${type.toString(16).padStart(2, '0')}`
}

/** A frame of this type with this body. */
export function frame(type: string, ...body: readonly Buffer[]): Buffer {
  const length = body.reduce((sum, part) => sum + part.length, 4)
  const header = Buffer.alloc(headerBytes)
  header.write(type, 0, 'latin1')
  header.writeInt32BE(length, 1)
  return Buffer.concat([header, ...body])
}

/** A string as the protocol writes it: with a zero byte behind. */
export function cstring(text: string | Buffer): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text
  if (bytes.includes(0)) throw hoopError('protocol-error', 'a name cannot contain a zero byte')
  return Buffer.concat([bytes, Buffer.alloc(1)])
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
