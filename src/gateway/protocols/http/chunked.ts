/**
 * A chunked body (RFC 9112, 7.1): sizes in hexadecimal, extensions that are dropped, and trailers that are read, checked and
 * dropped: a field that arrives behind the body would reach the target unjudged (RFC 9110, 6.5.1 lets a recipient discard them).
 */
import { Malformed } from './malformed.ts'
import { readFieldLine } from './request-head.ts'

const cr = 13
const lf = 10
/** Of a line with a size: extensions have no use that we know. */
const longestSizeLine = 256
/** Of all extensions of one body: each of its chunks could have a little of them (CVE-2023-39326). */
const mostExtensionBytes = 16 * 1024
const mostTrailerBytes = 16 * 1024
const sizeLine = /^([0-9a-fA-F]{1,13})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/

export class ChunkedBody {
  isOver = false
  /** How many of the bytes given last were read. */
  used = 0
  #state: 'size' | 'data' | 'end-of-data' | 'trailers' = 'size'
  #left = 0
  #extensionBytes = 0
  #trailerBytes = 0

  /** Payload out of bytes that begin where reading ended last; undefined: there is none in them yet. */
  read(bytes: Buffer): Buffer | undefined {
    this.used = 0
    const parts: Buffer[] = []
    while (!this.isOver) {
      const rest = bytes.subarray(this.used)
      if (this.#state === 'data') {
        if (rest.length === 0) break
        const part = rest.subarray(0, this.#left)
        parts.push(part)
        this.used += part.length
        this.#left -= part.length
        if (this.#left === 0) this.#state = 'end-of-data'
      } else {
        const line = readLine(rest, this.#state === 'size' ? longestSizeLine : mostTrailerBytes)
        if (line === undefined) break
        this.used += line.length + 2
        this.#take(line)
      }
    }
    if (parts.length === 0) return undefined
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }

  #take(line: string): void {
    switch (this.#state) {
      case 'size': {
        const digits = sizeLine.exec(line)?.[1]
        if (digits === undefined) throw new Malformed(400, 'the size of a chunk is not a number')
        this.#extensionBytes += line.length - digits.length
        if (this.#extensionBytes > mostExtensionBytes) throw new Malformed(400, 'chunks have too many extensions')
        this.#left = Number.parseInt(digits, 16)
        this.#state = this.#left === 0 ? 'trailers' : 'data'
        break
      }
      case 'end-of-data':
        if (line !== '') throw new Malformed(400, 'a chunk is longer than its size')
        this.#state = 'size'
        break
      case 'trailers':
        this.#trailerBytes += line.length + 2
        if (line === '') this.isOver = true
        else if (this.#trailerBytes > mostTrailerBytes) throw new Malformed(431, 'the trailers are too long')
        else readFieldLine(line)
        break
      default:
        throw new Error('data is no line')
    }
  }
}

/** Up to CR LF, without it; undefined: not there yet. */
function readLine(bytes: Buffer, longest: number): string | undefined {
  const end = bytes.indexOf(lf)
  const known = end < 0 ? bytes : bytes.subarray(0, end)
  const bare = known.indexOf(cr)
  if (end < 0 ? bare >= 0 && bare < known.length - 1 : end === 0 || bare !== end - 1)
    throw new Malformed(400, 'a line of a chunked body does not end with CR LF')
  if (known.length > longest + 1) throw new Malformed(400, 'a line of a chunked body is too long')
  return end < 0 ? undefined : known.toString('latin1', 0, end - 1)
}
