import { describe, expect, it } from 'vitest'
import { createBindReader } from '../../../../src/gateway/protocols/postgres/bind.ts'
import {
  beginningBytes,
  createCutter,
  cstring,
  frame,
  int16,
  int32,
} from '../../../../src/gateway/protocols/postgres/wire.ts'
import { cuts } from '../../../support/chunks.ts'

function cutterFor(limits: Record<string, number>) {
  return createCutter({ from: 'the client', limit: (type) => limits[String.fromCharCode(type)] })
}

/** Frames put together again from their pieces, as `type:body`. */
function read(chunks: readonly Buffer[], limits: Record<string, number>): string[] {
  const cutter = cutterFor(limits)
  const frames: string[] = []
  let parts: Buffer[] = []
  for (const chunk of chunks) {
    cutter.feed(chunk)
    for (let piece = cutter.next(); piece !== undefined; piece = cutter.next()) {
      expect(piece.first).toBe(parts.length === 0)
      parts.push(piece.bytes)
      if (!piece.last) continue
      const whole = Buffer.concat(parts)
      expect(whole.length).toBe(piece.total)
      frames.push(`${String.fromCharCode(piece.type)}:${whole.toString('latin1', 5)}`)
      parts = []
    }
  }
  expect(cutter.midFrame).toBe(false)
  return frames
}

describe('frames', () => {
  const bytes = Buffer.concat([
    frame('Q', cstring('select 1')),
    frame('S'),
    frame('d', Buffer.from('a\tb\n')),
    frame('H'),
  ])
  const expected = ['Q:select 1\0', 'S:', 'd:a\tb\n', 'H:']

  it('are the same however their bytes are cut', () => {
    for (const chunks of cuts(bytes)) expect(read(chunks, { Q: 100, S: 10, d: 0, H: 10 })).toEqual(expected)
  })

  it('longer than their limit come out in parts, the first of which holds the beginning', () => {
    const body = Buffer.alloc(beginningBytes * 3, 'x')
    const long = frame('d', body)
    const cutter = cutterFor({ d: 0 })
    const pieces = []
    for (let at = 0; at < long.length; at += 1000) {
      cutter.feed(long.subarray(at, at + 1000))
      for (let piece = cutter.next(); piece !== undefined; piece = cutter.next()) pieces.push(piece)
    }
    expect(pieces[0]).toMatchObject({ first: true, last: false, total: long.length })
    expect(pieces[0]?.bytes.length).toBe(beginningBytes)
    expect(pieces.length).toBeGreaterThan(100)
    expect(Buffer.concat(pieces.map((piece) => piece.bytes)).equals(long)).toBe(true)
  })

  it('that lie whole in what arrived are not copied', () => {
    const cutter = cutterFor({ Q: 100, S: 10, d: 0, H: 10 })
    cutter.feed(bytes)
    expect(cutter.next()?.bytes.buffer).toBe(bytes.buffer)
  })

  describe('of a type that comes in runs', () => {
    const rows = Array.from({ length: 9 }, (_, index) => frame('D', Buffer.alloc(index * 3, index)))
    const [first = Buffer.alloc(0)] = rows
    const settings = { from: 'the target', limit: () => 1000, runs: (type: number) => type === first[0] }
    const pieces = (chunks: readonly Buffer[], cutter = createCutter(settings)) =>
      chunks.flatMap((chunk) => {
        cutter.feed(chunk)
        const found = []
        for (let piece = cutter.next(); piece !== undefined; piece = cutter.next()) found.push(piece)
        return found
      })

    it('come out as one piece where they arrived together, uncopied, up to what is of another type', () => {
      const answer = Buffer.concat([frame('T'), ...rows, frame('C'), ...rows])
      const found = pieces([answer])
      expect(found.map(({ type, frames }) => [String.fromCharCode(type), frames])).toEqual([
        ['T', 1],
        ['D', 9],
        ['C', 1],
        ['D', 9],
      ])
      expect(found[1]?.bytes.equals(Buffer.concat(rows))).toBe(true)
      expect(found[1]?.bytes.buffer).toBe(answer.buffer)
      expect(found[1]).toMatchObject({ first: true, last: true, total: Buffer.concat(rows).length })
    })

    it('are the same frames however their bytes are cut, and each is counted once', () => {
      const answer = Buffer.concat([...rows, frame('C'), ...rows])
      for (const chunks of cuts(answer)) {
        const found = pieces(chunks)
        expect(Buffer.concat(found.map(({ bytes }) => bytes)).equals(answer)).toBe(true)
        expect(found.every(({ last }) => last)).toBe(true)
        expect(found.reduce((sum, { frames }) => sum + frames, 0)).toBe(19)
      }
    })

    it('that are longer than their limit come alone, in parts', () => {
      const long = frame('D', Buffer.alloc(beginningBytes * 2))
      const found = pieces([Buffer.concat([...rows, long, ...rows])])
      expect(found.map(({ frames, first, last }) => [frames, first, last])).toEqual([
        [9, true, true],
        [1, true, false],
        [0, false, true],
        [9, true, true],
      ])
    })

    it('end a run where a length cannot be trusted', () => {
      const cutter = createCutter(settings)
      cutter.feed(Buffer.concat([first, first, Buffer.from('D'), int32(3), first]))
      expect(cutter.next()?.frames).toBe(2)
      expect(() => cutter.next()).toThrow(expect.objectContaining({ code: 'protocol-error' }))
    })
  })

  it.each([
    ['0', 0],
    ['3', 3],
    ['-1', -1],
    ['2147483647', 2147483647],
  ])('that claim to be %s bytes long are refused', (_, length) => {
    const cutter = cutterFor({ Q: 100 })
    cutter.feed(Buffer.concat([Buffer.from('Q'), int32(length)]))
    expect(() => cutter.next()).toThrow(expect.objectContaining({ code: 'protocol-error' }))
  })

  it('of unknown type are refused', () => {
    const cutter = cutterFor({ Q: 100 })
    cutter.feed(frame('!'))
    expect(() => cutter.next()).toThrow(/unknown type "!"/)
  })
})

describe('a Bind', () => {
  const values = [Buffer.from('one'), null, Buffer.alloc(20_000, 'v'), Buffer.alloc(0)]
  const bind = frame(
    'B',
    cstring('p'),
    cstring('s'),
    int16(4),
    ...[0, 0, 1, 0].map(int16),
    int16(values.length),
    ...values.flatMap((value) => (value === null ? [int32(-1)] : [int32(value.length), value])),
    int16(1),
    int16(1),
  )

  function feed(chunks: Iterable<Buffer>) {
    const reader = createBindReader(bind.length)
    let view: ReturnType<typeof reader.feed>
    for (const chunk of chunks) {
      expect(view).toBeUndefined()
      view = reader.feed(chunk)
    }
    return view
  }

  it('says the same however its bytes are cut', () => {
    const whole = feed([bind])
    expect(whole).toMatchObject({ portal: Buffer.from('p'), statement: Buffer.from('s'), bytes: 20_003 })
    expect(whole?.values.map(({ bytes, binary }) => [bytes, binary])).toEqual([
      [3, false],
      [0, false],
      [20_000, true],
      [0, false],
    ])
    for (let at = 1; at < bind.length; at += 97) expect(feed([bind.subarray(0, at), bind.subarray(at)])).toEqual(whole)
    expect(feed(Array.from(bind, (_, index) => bind.subarray(index, index + 1)))).toEqual(whole)
  })

  it('keeps only the beginning of a large value, and its size', () => {
    const value = feed([bind])?.values[2]
    expect(value?.beginning?.length).toBeLessThan(20_000)
    expect(value?.bytes).toBe(20_000)
  })

  it('whose lengths do not add up is refused', () => {
    const broken = Buffer.from(bind)
    broken.writeInt32BE(1_000_000, 5 + 2 + 2 + 2 + 8 + 2)
    expect(() => createBindReader(broken.length).feed(broken)).toThrow(
      expect.objectContaining({ code: 'protocol-error' }),
    )
  })
})
