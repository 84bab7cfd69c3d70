/**
 * Content-Encoding (RFC 9110, 8.4) taken off, within bounds: an answer of a few bytes must not become gigabytes of work. A
 * client that is to be shown less is not asked to send it compressed, nor is it sent compressed again.
 */
import { Transform, type TransformCallback } from 'node:stream'
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib'
import { WithheldError } from '../exchange.ts'

/** What a target may be told that we take. */
export const decodableCodings = ['gzip', 'br', 'zstd', 'deflate'] as const
type Coding = (typeof decodableCodings)[number]

/** More than one is allowed, and hardly seen. */
const mostCodings = 2
/** Text shrinks to a tenth, a log to a fiftieth; what grows more than this, beyond some MiB, is made to do harm. */
const mostGrowth = 250
const alwaysAllowed = 16 * 1024 * 1024
/** RFC 9659: no decoder of this coding needs more. */
const zstdWindowLog = 23

/** In the order of decoding; undefined: there is one that we do not know. */
export function codingsOf(contentEncoding: string): readonly Coding[] | undefined {
  const codings: Coding[] = []
  for (const name of contentEncoding.toLowerCase().split(',')) {
    const coding = name.trim().replace(/^x-(?=gzip$)/, '')
    if (coding === '' || coding === 'identity') continue
    const known = decodableCodings.find((one) => one === coding)
    if (known === undefined || codings.length === mostCodings) return undefined
    codings.unshift(known)
  }
  return codings
}

/** Accept-Encoding with nothing in it that we could not read. */
export function narrowed(acceptEncoding: string): string {
  const known = acceptEncoding.split(',').filter((part) => {
    const name = part.split(';', 1)[0]?.trim().toLowerCase() ?? ''
    return name === 'identity' || name === 'x-gzip' || decodableCodings.some((coding) => coding === name)
  })
  return known.length === 0 ? 'identity' : known.map((part) => part.trim()).join(', ')
}

type Inner = ReturnType<typeof createGunzip>

export function decoderFor(coding: Coding): Transform {
  let inner: Inner | undefined
  let cameIn = 0
  let wentOut = 0
  const decoder = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (chunk.length === 0) return done()
      cameIn += chunk.length
      inner ??= open(chunk)
      inner.write(chunk, (error) => done(error === null || error === undefined ? null : undecodable(coding)))
    },
    flush(done: TransformCallback) {
      if (inner === undefined) return done()
      inner.once('end', done)
      inner.end()
    },
    read() {
      inner?.resume()
      Transform.prototype._read.call(this, 0)
    },
    destroy(error, done) {
      inner?.destroy()
      done(error)
    },
  })

  function open(first: Buffer): Inner {
    const made = make(coding, first)
    made.on('data', (bytes: Buffer) => {
      wentOut += bytes.length
      if (wentOut > alwaysAllowed && wentOut > cameIn * mostGrowth)
        decoder.destroy(new WithheldError('it grows too much when it is decompressed'))
      else if (!decoder.push(bytes)) made.pause()
    })
    made.on('error', () => decoder.destroy(undecodable(coding)))
    return made
  }

  return decoder
}

function undecodable(coding: Coding): Error {
  return new WithheldError(`it says that it is ${coding}, and is not`)
}

function make(coding: Coding, first: Buffer): Inner {
  switch (coding) {
    case 'gzip':
      return createGunzip()
    case 'br':
      return createBrotliDecompress()
    case 'zstd':
      return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } })
    case 'deflate':
      // Some send it without the frame of RFC 1950 which it should have.
      return isZlib(first) ? createInflate() : createInflateRaw()
    default:
      return coding satisfies never
  }
}

function isZlib(bytes: Buffer): boolean {
  const method = bytes[0] ?? 0
  return (method & 0x0f) === 8 && (bytes.length < 2 || (method * 256 + (bytes[1] ?? 0)) % 31 === 0)
}
