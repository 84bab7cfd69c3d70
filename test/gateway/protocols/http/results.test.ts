import { PassThrough, Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Masks } from '../../../../src/gateway/checkpoint.ts'
import { type Fields, type RequestHead, WithheldError } from '../../../../src/gateway/protocols/http/exchange.ts'
import { outwardUnder, resultsUnder } from '../../../../src/gateway/protocols/http/results.ts'
import { both, emails, masksFor, noMasks, passwords } from './masking/masks.ts'

const json: Fields = [['Content-Type', 'application/json']]

function resultsOf(masks: Masks, fields: Fields, { status = 200, method = 'GET' } = {}) {
  return resultsUnder(masks, method, { status, fields })
}

function throughOf(masks: Masks, fields: Fields, more = {}) {
  const results = resultsOf(masks, fields, more)
  if (results.kind !== 'through') throw new Error(`it is ${results.kind}`)
  return results
}

async function drain(streams: readonly Transform[], pieces: readonly Buffer[]): Promise<string> {
  const out = new PassThrough({ highWaterMark: Number.MAX_SAFE_INTEGER })
  await pipeline([Readable.from(pieces), ...streams, out])
  return String(out.read() ?? '')
}

/** What comes out at the end of the streams, given these pieces. */
const shown = (masks: Masks, fields: Fields, pieces: readonly Buffer[]) =>
  drain(throughOf(masks, fields).through, pieces)

const body = Buffer.from('{"user":"ana@acme.com","password":"hunter2"}')
const masked = '{"user":"•••","password":"•••"}'

describe('where nothing is masked', () => {
  test('an answer passes untouched', () => {
    expect(resultsOf(noMasks, json)).toEqual({ kind: 'untouched' })
    expect(resultsOf(masksFor({}), json)).toEqual({ kind: 'untouched' })
  })

  test('a request goes out as it came', () => {
    const head = headWith([['Range', 'bytes=0-9']])
    expect(outwardUnder(noMasks, head)).toBe(head)
  })
})

describe('a coding', () => {
  const codings = {
    gzip: gzipSync(body),
    'x-gzip': gzipSync(body),
    br: brotliCompressSync(body),
    zstd: zstdCompressSync(body),
    deflate: deflateSync(body),
    'deflate ': deflateRawSync(body),
    'gzip, br': brotliCompressSync(gzipSync(body)),
    identity: body,
  }

  test.each(Object.entries(codings))('%s is taken off, however it is cut', async (coding, bytes) => {
    const fields: Fields = [...json, ['Content-Encoding', coding]]
    expect(await shown(both, fields, [bytes])).toBe(masked)
    expect(
      await shown(
        both,
        fields,
        Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
      ),
    ).toBe(masked)
  })

  test.each(['compress', 'dcb', 'gzip, gzip, gzip'])('%s is withheld', (coding) => {
    const results = resultsOf(emails, [...json, ['Content-Encoding', coding]])
    expect(results).toMatchObject({ kind: 'withheld', reason: expect.stringContaining(coding) })
  })

  test('that is not what it says fails', async () => {
    await expect(shown(both, [...json, ['Content-Encoding', 'gzip']], [body])).rejects.toThrow(WithheldError)
  })

  test('that breaks off fails', async () => {
    const cut = gzipSync(body).subarray(0, -5)
    await expect(shown(both, [...json, ['Content-Encoding', 'gzip']], [cut])).rejects.toThrow(WithheldError)
  })

  test('that grows without measure fails', async () => {
    const picture = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(32 * 1024 * 1024)])
    const fields: Fields = [
      ['Content-Type', 'image/png'],
      ['Content-Encoding', 'gzip'],
    ]
    await expect(shown(passwords, fields, [gzipSync(picture)])).rejects.toThrow('grows too much')
  })
})

describe('an answer', () => {
  test('that is a part is withheld', () => {
    expect(resultsOf(emails, json, { status: 206 }).kind).toBe('withheld')
    const parts: Fields = [['Content-Type', 'multipart/byteranges; boundary=x']]
    expect(resultsOf(emails, parts).kind).toBe('withheld')
  })

  test('in a charset that nobody knows is withheld', () => {
    expect(resultsOf(emails, [['Content-Type', 'text/plain; charset=utf-7']]).kind).toBe('withheld')
  })

  test('that says two things about itself is withheld', () => {
    expect(resultsOf(emails, [...json, ['content-type', 'text/plain']]).kind).toBe('withheld')
  })

  test.each([
    ['to HEAD', { method: 'HEAD' }],
    ['304', { status: 304 }],
    ['204', { status: 204 }],
  ])('%s has no body, and its head says as little', (_, more) => {
    const fields: Fields = [...json, ['ETag', '"1"'], ['Content-Length', '44'], ['X-To', 'ana@acme.com']]
    expect(throughOf(emails, fields, more)).toMatchObject({
      fields: [...json, ['X-To', '***']],
      through: [],
      headWaits: false,
    })
  })

  test('of events has a head that does not wait', () => {
    expect(throughOf(emails, [['Content-Type', 'text/event-stream']]).headWaits).toBe(false)
    expect(throughOf(emails, json).headWaits).toBe(true)
  })

  test('says whether something was hidden in it', async () => {
    const results = throughOf(emails, json)
    expect(results.masked()).toBe(false)
    await drain(results.through, [body])
    expect(results.masked()).toBe(true)
    expect(throughOf(emails, [...json, ['X-To', 'ana@acme.com']]).masked()).toBe(true)
  })

  test('says nothing of bytes that are not shown', () => {
    const fields: Fields = [
      ['Content-Type', 'text/plain; charset=latin1'],
      ['Content-Length', '3'],
      ['Content-Encoding', 'gzip'],
      ['ETag', 'W/"1"'],
      ['Content-MD5', 'x'],
      ['Digest', 'x'],
      ['Content-Digest', 'x'],
      ['Accept-Ranges', 'bytes'],
      ['x-amz-checksum-sha256', 'x'],
      ['Last-Modified', 'Wed, 25 Nov 2026 08:00:00 GMT'],
    ]
    const results = throughOf(emails, fields)
    expect(results.fields).toEqual([
      ['Content-Type', 'text/plain; charset=utf-8'],
      ['Last-Modified', 'Wed, 25 Nov 2026 08:00:00 GMT'],
    ])
    expect(
      results.trailers([
        ['Content-Digest', 'x'],
        ['X-By', 'ana@acme.com'],
      ]),
    ).toEqual([['X-By', '***']])
  })
})

function headWith(fields: Fields, method = 'GET'): RequestHead {
  return { method, target: '/', fields, body: 'none', upgrade: undefined }
}

describe('a request whose answer is looked at', () => {
  test('asks for no parts, differences or tags', () => {
    const fields: Fields = [
      ['Range', 'bytes=0-9'],
      ['If-Range', '"1"'],
      ['If-None-Match', '"1"'],
      ['A-IM', 'vcdiff'],
      ['Accept', '*/*'],
      ['Accept-Encoding', 'gzip;q=0.5, dcb, compress, br , *'],
    ]
    expect(outwardUnder(emails, headWith(fields)).fields).toEqual([
      ['Accept', '*/*'],
      ['Accept-Encoding', 'gzip;q=0.5, br'],
    ])
  })

  test('says that it takes no coding where it said nothing, or none that can be undone', () => {
    expect(outwardUnder(emails, headWith([])).fields).toEqual([['Accept-Encoding', 'identity']])
    const fields: Fields = [['accept-encoding', 'compress']]
    expect(outwardUnder(emails, headWith(fields)).fields).toEqual([['accept-encoding', 'identity']])
  })

  test('may still make a change depend on a tag', () => {
    const fields: Fields = [
      ['If-None-Match', '*'],
      ['Accept-Encoding', 'br'],
    ]
    expect(outwardUnder(emails, headWith(fields, 'PUT')).fields).toEqual(fields)
  })
})
