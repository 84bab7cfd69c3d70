/** A Bind that came whole says the same as one that streams by. */
import { describe, expect, it } from 'vitest'
import { createBindReader, readBind } from '../../../../src/gateway/protocols/postgres/bind.ts'
import { cstring, frame, int16, int32 } from '../../../../src/gateway/protocols/postgres/wire.ts'

function bindFrame(
  values: readonly (Buffer | null)[],
  formats: readonly number[] = [],
  resultFormats: readonly number[] = [],
): Buffer {
  const written = values.flatMap((value) => (value === null ? [int32(-1)] : [int32(value.length), value]))
  return frame(
    'B',
    cstring('portal'),
    cstring('statement'),
    int16(formats.length),
    ...formats.map(int16),
    int16(values.length),
    ...written,
    int16(resultFormats.length),
    ...resultFormats.map(int16),
  )
}

const streamed = (bytes: Buffer) => createBindReader(bytes.length).feed(bytes)

describe('a Bind that came whole', () => {
  it.each([
    ['no values', bindFrame([])],
    ['text values', bindFrame([Buffer.from('4711'), null, Buffer.from('')])],
    ['one format for all', bindFrame([Buffer.from([1, 2]), Buffer.from([3])], [1], [1])],
    ['a format for each', bindFrame([Buffer.from('a'), Buffer.from([3]), null], [0, 1, 1], [0, 1])],
    ['fewer formats than values', bindFrame([Buffer.from('a'), Buffer.from('b'), null], [1, 1])],
    ['a value longer than is kept', bindFrame([Buffer.alloc(20_000, 'x'), Buffer.from('y')])],
    ['more in all than is kept', bindFrame(Array.from({ length: 70 }, () => Buffer.alloc(16_000, 'x')))],
  ])('reads as it does in parts: %s', (_what, bytes) => {
    expect(readBind(bytes)).toEqual(streamed(bytes))
  })

  it('is refused wherever it is cut off, and when more follows', () => {
    const bytes = bindFrame([Buffer.from('4711'), null], [0, 1], [1])
    for (let length = 5; length < bytes.length; length += 1)
      expect(() => readBind(bytes.subarray(0, length)), `${length} bytes`).toThrow('a Bind message')
    expect(() => readBind(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow('does not have the form')
  })

  it('gives the same answer as the reader of parts, whatever byte of it is wrong', () => {
    const bytes = bindFrame([Buffer.from('4711'), null, Buffer.from('x')], [0, 1, 0], [1])
    const said = (read: (bytes: Buffer) => unknown, given: Buffer) => {
      try {
        return read(given)
      } catch (error) {
        return String(error)
      }
    }
    for (let at = 5; at < bytes.length; at += 1)
      for (const byte of [0, 1, 2, 0x7f, 0x80, 0xff]) {
        const broken = Buffer.from(bytes)
        broken[at] = byte
        expect(said(readBind, broken), `byte ${at} = ${byte}`).toEqual(said(streamed, broken))
      }
  })
})
