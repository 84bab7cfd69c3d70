import { randomBytes } from 'node:crypto'
import { createDeflate, createInflate, constants } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { dictionary } from '../../../../../src/gateway/protocols/kubernetes/streams/spdy/dictionary.ts'
import {
  createSpdyReader,
  createSpdyWriter,
  type SpdyFrame,
} from '../../../../../src/gateway/protocols/kubernetes/streams/spdy/frames.ts'
import {
  createHeaderReader,
  createHeaderWriter,
  type Headers,
} from '../../../../../src/gateway/protocols/kubernetes/streams/spdy/header-block.ts'
import { cuts } from '../../../../support/chunks.ts'

const headersOf = (type: string): Headers => [
  ['streamtype', type],
  ['port', '8080'],
  ['requestid', '0'],
  ['x-twice', 'a'],
  ['x-twice', ''],
]
const frames: readonly SpdyFrame[] = [
  { kind: 'open', stream: 1, associated: 0, priority: 0, headers: headersOf('error'), fin: false, oneWay: false },
  { kind: 'open', stream: 3, associated: 1, priority: 7, headers: headersOf('data'), fin: true, oneWay: true },
  { kind: 'reply', stream: 1, headers: [], fin: false },
  { kind: 'data', stream: 1, bytes: Buffer.from('hello'), fin: false },
  { kind: 'data', stream: 1, bytes: Buffer.alloc(0), fin: true },
  { kind: 'headers', stream: 3, headers: headersOf('more'), fin: true },
  { kind: 'reset', stream: 3, status: 5 },
  { kind: 'ping', id: 1 },
  { kind: 'window', stream: 0, delta: 65_536 },
  { kind: 'settings', bytes: Buffer.from('000000010000000400000064', 'hex') },
  { kind: 'goaway', lastStream: 3, status: 0 },
]

function written(all: readonly SpdyFrame[]): Buffer {
  const write = createSpdyWriter()
  return Buffer.concat(all.flatMap((frame) => write(frame)))
}

/** Pieces of data of one frame together. */
function readAll(chunks: readonly Buffer[]): SpdyFrame[] {
  const reader = createSpdyReader()
  const out: SpdyFrame[] = []
  for (const chunk of chunks)
    for (const frame of reader.read(chunk)) {
      const last = out.at(-1)
      if (frame.kind === 'data' && last?.kind === 'data' && !last.fin && frame.bytes.length > 0)
        out[out.length - 1] = { ...frame, bytes: Buffer.concat([last.bytes, frame.bytes]) }
      else out.push(frame)
    }
  return out
}

describe('SPDY/3.1 frames', () => {
  it('read as they were written, however they are cut', () => {
    const stream = written(frames)
    for (const chunks of cuts(stream)) expect(readAll(chunks)).toEqual(frames)
  })

  it('carry data longer than a frame may be', () => {
    const bytes = randomBytes(0xffffff + 10)
    const read = readAll([written([{ kind: 'data', stream: 1, bytes, fin: true }])])
    expect(
      Buffer.concat(read.map((frame) => (frame.kind === 'data' ? frame.bytes : Buffer.alloc(0)))).equals(bytes),
    ).toBe(true)
    expect(read.map((frame) => frame.kind === 'data' && frame.fin).filter(Boolean)).toHaveLength(1)
  })

  it.each([
    ['another version', '8002000600000004 00000001'],
    ['a type that is not known', '8003000a00000004 00000001'],
    ['a flag that is not known', '8003000601000004 00000001'],
    ['data with a flag that is not known', '0000000102000000'],
    ['data of no stream', '0000000000000001 61'],
    ['a ping of 5 bytes', '8003000600000005 0000000100'],
    ['settings that count wrongly', '8003000400000004 00000001'],
    ['a reset of no stream', '8003000300000008 0000000000000001'],
    ['a stream without headers', '8003000100000009 000000010000000000'],
    ['headers without zlib', '800300010000000e 000000010000000000 0000000000'],
    ['headers with another dictionary', '8003000200000010 00000001 78bbe3c6a7c3 010000ffff00'],
    ['a control frame that is too long', '80030001007fffff 00000001'],
  ])('refuse %s', (_what, hex) => {
    expect(() => readAll([Buffer.from(hex.replaceAll(' ', ''), 'hex')])).toThrow(/not SPDY\/3.1/)
  })

  it('refuse or read random bytes, and what was damaged', () => {
    const stream = written(frames)
    for (let round = 0; round < 3000; round += 1) {
      const bytes = round % 3 === 0 ? randomBytes(1 + (round % 200)) : Buffer.from(stream)
      if (round % 3 !== 0) bytes[randomBytes(2).readUInt16BE() % bytes.length] = round & 0xff
      try {
        readAll([bytes])
      } catch (error) {
        expect(error).toMatchObject({ code: 'protocol-error' })
      }
    }
  })
})

describe('header blocks', () => {
  const many = Array.from(
    { length: 2000 },
    (_, index): Headers => [
      ['streamtype', index % 2 === 0 ? 'error' : 'data'],
      ['port', String(index)],
      ['requestid', randomBytes(10).toString('hex')],
    ],
  )

  it('read what was written, for longer than zlib looks back', () => {
    const [write, read] = [createHeaderWriter(), createHeaderReader()]
    for (const headers of many) expect(read(write(headers))).toEqual(headers)
  })

  it('are one zlib stream, for whoever reads it with one decompressor', async () => {
    const write = createHeaderWriter()
    const inflate = createInflate({ dictionary })
    const whole = Buffer.concat(many.map(write))
    inflate.end(whole)
    const chunks: Buffer[] = []
    // It never ends, so the decompressor misses its end.
    await expect(
      (async () => {
        for await (const chunk of inflate) chunks.push(chunk)
      })(),
    ).rejects.toThrow(/unexpected end/)
    expect(Buffer.concat(chunks).toString('latin1')).toContain(`requestid${'\0'.repeat(3)}\x14${many.at(-1)?.[2]?.[1]}`)
  })

  it('read what one compressor wrote, whatever its level', async () => {
    for (const level of [0, 1, 9]) {
      const deflate = createDeflate({ dictionary, level })
      const read = createHeaderReader()
      for (const headers of many.slice(0, 300)) {
        const texts = headers.flat().map((text) => Buffer.concat([uint32(text.length), Buffer.from(text)]))
        deflate.write(Buffer.concat([uint32(headers.length), ...texts]))
        await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, () => resolve()))
        expect(read(deflate.read())).toEqual(headers)
      }
    }
  })

  it.each<[string, Headers]>([
    ['a name in capitals', [['Port', '1']]],
    ['an empty name', [['', '1']]],
  ])('refuse %s', (_what, headers) => {
    expect(() => createHeaderReader()(createHeaderWriter()(headers))).toThrow(/named wrongly/)
  })

  it('refuse a block that grows beyond its limit', () => {
    const headers: Headers = [['port', '1'.repeat(1_000_000)]]
    expect(() => createHeaderReader()(createHeaderWriter()(headers))).toThrow(/cannot be decompressed/)
  })

  it('refuse bytes behind the end of the zlib stream', () => {
    const block = Buffer.concat([createHeaderWriter()([]), Buffer.from('030000ffff', 'hex')])
    expect(() => createHeaderReader()(block)).toThrow(/something behind them/)
  })
})

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
