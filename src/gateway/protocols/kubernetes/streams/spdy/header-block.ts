/**
 * The headers of a SPDY/3.1 stream: names and values, compressed with one zlib stream for each direction of a connection.
 *
 * That stream is flushed after every block, so each block is inflated and deflated by itself, with what came before as its
 * dictionary. Pure, and without a compressor that would have to be closed.
 */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { dictionary } from './dictionary.ts'
import { broken } from './broken.ts'

/** Names in lower case. A name that stands there with several values comes once for each. */
export type Headers = readonly (readonly [name: string, value: string])[]

/** As far back as zlib looks. */
const windowBytes = 32 * 1024
/** kubectl's are below a hundred bytes. */
const longestBlock = 16 * 1024
const mostHeaders = 64
/** deflate, a window of 32 KiB, with a dictionary; and which one (its Adler-32). */
const zlibHead = Buffer.from('78bbe3c6a7c2', 'hex')
const nothing: Buffer = Buffer.alloc(0)

/** Blocks come in the order of their frames; a function for each direction. Throws a HoopError `protocol-error`. */
export function createHeaderReader(): (block: Buffer) => Headers {
  let window = dictionary
  let isFirst = true
  return (block) => {
    let deflated = block
    if (isFirst) {
      const [method, flags] = block
      const isZlib =
        method !== undefined && flags !== undefined && (method & 0x0f) === 8 && ((method << 8) | flags) % 31 === 0
      if (!isZlib || block.compare(zlibHead, 2, 6, 2, 6) !== 0)
        throw broken('headers that are not compressed as agreed')
      deflated = block.subarray(zlibHead.length)
      isFirst = false
    }
    const plain = inflate(deflated, window)
    window = slide(window, plain)
    return readHeaders(plain)
  }
}

export function createHeaderWriter(): (headers: Headers) => Buffer {
  let window = dictionary
  let isFirst = true
  return (headers) => {
    const plain = writeHeaders(headers)
    const deflated = deflateRawSync(plain, { dictionary: window, finishFlush: constants.Z_SYNC_FLUSH })
    window = slide(window, plain)
    if (!isFirst) return deflated
    isFirst = false
    return Buffer.concat([zlibHead, deflated])
  }
}

function slide(window: Buffer, plain: Buffer): Buffer {
  return Buffer.concat([window, plain]).subarray(-windowBytes)
}

function inflate(deflated: Buffer, window: Buffer): Buffer {
  let inflated: Inflated
  try {
    inflated = inflateRawSync(deflated, {
      dictionary: window,
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: longestBlock,
      info: true,
      // The declarations do not know what `info` gives.
    }) as unknown as Inflated
  } catch (cause) {
    throw broken('headers that cannot be decompressed', cause)
  }
  // The stream never ends: what would stand behind its end, nobody would have read.
  if (inflated.engine.bytesWritten !== deflated.length) throw broken('headers with something behind them')
  return inflated.buffer
}

interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

function readHeaders(block: Buffer): Headers {
  let at = 0
  const number = () => {
    if (at + 4 > block.length) throw broken('headers that are cut off')
    at += 4
    return block.readUInt32BE(at - 4)
  }
  const text = () => {
    const length = number()
    if (length > block.length - at) throw broken('headers that are cut off')
    at += length
    return block.toString('latin1', at - length, at)
  }
  const count = number()
  if (count > mostHeaders) throw broken('too many headers')
  const headers: (readonly [string, string])[] = []
  const names = new Set<string>()
  for (let index = 0; index < count; index += 1) {
    const name = text()
    if (name === '' || name !== name.toLowerCase() || names.has(name)) throw broken('a header that is named wrongly')
    names.add(name)
    for (const value of text().split('\0')) headers.push([name, value])
  }
  if (at !== block.length) throw broken('headers with something behind them')
  return headers
}

function writeHeaders(headers: Headers): Buffer {
  const byName = new Map<string, string[]>()
  for (const [name, value] of headers) byName.set(name, [...(byName.get(name) ?? []), value])
  const parts = [uint32(byName.size)]
  for (const [name, values] of byName) parts.push(counted(name), counted(values.join('\0')))
  return Buffer.concat(parts)
}

function counted(text: string): Buffer {
  const bytes = text === '' ? nothing : Buffer.from(text, 'latin1')
  return Buffer.concat([uint32(bytes.length), bytes])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
