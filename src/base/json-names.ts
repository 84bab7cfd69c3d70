/**
 * Names of members as strings. The same few names stand in every object of an answer: short ASCII names are found again by
 * their bytes, so that reading them makes no new string. Also what a JSON string says.
 */
import { isPlain } from './json-signs.ts'

/** One name after the other, each from pieces of bytes that may be cut anywhere. */
export class NameReader {
  readonly #mostBytes: number
  /** Between the quotes of a name. */
  isReading = false
  /** Printable ASCII without an escape so far, with this hash. */
  isPlain = true
  #hash = firstHash
  /** What of it stood in earlier pieces. */
  #before: Uint8Array[] = []
  #bytesBefore = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  begin(): void {
    this.isReading = true
    this.isPlain = true
    this.#hash = firstHash
  }

  /** Where in this piece the next byte stands that is no plain sign. */
  plainEnd(bytes: Uint8Array, from: number): number {
    let hash = this.#hash
    let at = from
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number
      if (isPlain[byte] !== 1) break
      hash = nextHash(hash, byte)
    }
    this.#hash = hash
    return at
  }

  /** The piece ends inside the name: a copy, because who brought the piece may write over it. False: the name is too long. */
  keep(piece: Uint8Array): boolean {
    if (piece.length === 0) return true
    this.#bytesBefore += piece.length
    this.#before.push(Uint8Array.from(piece))
    return this.#bytesBefore <= this.#mostBytes
  }

  /** The name that ends in this piece, and has its beginning or the rest of it there. undefined: it is too long. */
  end(bytes: Uint8Array, start: number, end: number): string | undefined {
    this.isReading = false
    if (this.#bytesBefore + end - start > this.#mostBytes) return undefined
    if (this.#bytesBefore === 0)
      return this.isPlain ? plainName(bytes, start, end, this.#hash) : stringOf(bytes, start, end)
    const whole = Buffer.concat([...this.#before, bytes.subarray(start, end)])
    this.#before = []
    this.#bytesBefore = 0
    return stringOf(whole, 0, whole.length)
  }
}

/** What a JSON string says, given the bytes between its quotes, which have been read before and are valid. */
export function stringOf(bytes: Uint8Array, start: number, end: number): string {
  const written = text(bytes, start, end)
  if (!written.includes('\\')) return written
  return written.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, code: string | undefined, sign: string) =>
    code === undefined ? (escaped[sign] ?? sign) : String.fromCharCode(Number.parseInt(code, 16)),
  )
}

const escaped: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

function text(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
}

const firstHash = 5381

function nextHash(hash: number, byte: number): number {
  return (Math.imul(hash, 33) ^ byte) | 0
}

const slots = 2048
const longestKept = 48
/** By hash. A name that meets another one in its slot takes the place. */
const kept = new Array<string>(slots).fill('')

function plainName(bytes: Uint8Array, start: number, end: number, hash: number): string {
  const length = end - start
  if (length > longestKept) return text(bytes, start, end)
  const slot = (hash ^ (hash >>> 15)) & (slots - 1)
  const known = kept[slot] as string
  if (isSame(known, bytes, start, length)) return known
  const name = text(bytes, start, end)
  kept[slot] = name
  return name
}

function isSame(known: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (known.length !== length) return false
  for (let at = 0; at < length; at++) if (known.charCodeAt(at) !== bytes[start + at]) return false
  return true
}
