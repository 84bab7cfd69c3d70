/**
 * Bytes ↔ frames of SFTP (draft-ietf-secsh-filexfer-02, section 3): a length, a type, and what belongs to it. A frame keeps
 * the bytes that arrived; only one that came in pieces is put together. Pure.
 */

export interface Frame {
  /** All of it, its length first: what is forwarded. */
  readonly bytes: Buffer
  readonly type: number
}

/** One side broke the rules; the channel ends with this sentence. */
export class SftpBroken extends Error {}

/** OpenSSH takes and sends nothing longer (SFTP_MAX_MSG_LENGTH), and its clients ask for less. */
export const longestFrame = 256 * 1024

const lengthBytes = 4

export interface FrameReader {
  /** The frames that are complete now, in order. Throws SftpBroken. */
  push(chunk: Buffer): readonly Frame[]
  /** The beginning of a frame has arrived, and not its end. */
  readonly isInside: boolean
}

export function createFrameReader(who: string): FrameReader {
  /** The beginning of a length. */
  let head: Buffer = Buffer.alloc(0)
  /** A frame that is being put together, and how much of it is there. */
  let partial: Buffer | undefined
  let filled = 0

  return {
    push(chunk) {
      const frames: Frame[] = []
      let at = 0
      while (at < chunk.length) {
        if (partial !== undefined) {
          const copied = chunk.copy(partial, filled, at)
          filled += copied
          at += copied
          if (filled < partial.length) break
          frames.push(frameOf(partial))
          partial = undefined
          continue
        }
        if (head.length > 0 || chunk.length - at < lengthBytes) {
          const more = chunk.subarray(at, at + lengthBytes - head.length)
          head = Buffer.concat([head, more])
          at += more.length
          if (head.length < lengthBytes) break
          partial = Buffer.allocUnsafeSlow(checkedLength(head.readUInt32BE(0), who) + lengthBytes)
          filled = head.copy(partial)
          head = Buffer.alloc(0)
          continue
        }
        const end = at + lengthBytes + checkedLength(chunk.readUInt32BE(at), who)
        if (end <= chunk.length) {
          frames.push(frameOf(chunk.subarray(at, end)))
          at = end
          continue
        }
        partial = Buffer.allocUnsafeSlow(end - at)
        filled = chunk.copy(partial, 0, at)
        break
      }
      return frames
    },
    get isInside() {
      return partial !== undefined || head.length > 0
    },
  }
}

function checkedLength(length: number, who: string): number {
  if (length < 1) throw new SftpBroken(`${who} sent an empty message`)
  if (length > longestFrame)
    throw new SftpBroken(`${who} sent a message of ${length} bytes; the longest is ${longestFrame}`)
  return length
}

function frameOf(bytes: Buffer): Frame {
  return { bytes, type: bytes.readUInt8(lengthBytes) }
}

/** What of a frame is behind its type, read piece by piece. */
export class Fields {
  readonly #bytes: Buffer
  readonly #who: string
  #at: number

  constructor(frame: Frame, who: string) {
    this.#bytes = frame.bytes
    this.#who = who
    this.#at = lengthBytes + 1
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4))
  }

  /** A place in a file; beyond 2⁵³ it is not exact, and no file is that long. */
  uint64(): number {
    return Number(this.#bytes.readBigUInt64BE(this.#take(8)))
  }

  /** A view, not a copy. */
  string(): Buffer {
    const length = this.uint32()
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  #take(length: number): number {
    const at = this.#at
    if (length > this.left) throw new SftpBroken(`${this.#who} sent a message that ends too early`)
    this.#at += length
    return at
  }
}

/** A message of the gateway's own. */
export function message(type: number, ...parts: readonly (number | string | Buffer)[]): Buffer {
  const body = parts.map((part) => (typeof part === 'number' ? uint32(part) : text(part)))
  const length = body.reduce((sum, { length }) => sum + length, 1)
  return Buffer.concat([uint32(length), Buffer.from([type]), ...body])
}

function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint32(bytes.length), bytes])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes)
  bytes.writeUInt32BE(value)
  return bytes
}
