import { describe, expect, it } from 'vitest'
import {
  createFrameReader,
  type FrameType,
  frameTypes,
  LinkViolation,
  longestPayload,
} from '../../../src/base/link/frames.ts'
import { cuts } from '../../support/chunks.ts'
import { frameOf } from '../../support/link-peer.ts'

/** `type stream payload`, with the parts of one data frame put together again. */
function read(chunks: readonly Buffer[]): string[] {
  const frames: string[] = []
  let data = ''
  const flush = () => {
    if (data !== '') frames.push(data)
    data = ''
  }
  const feed = createFrameReader({
    data: (stream, part) => {
      if (data === '') data = `data ${stream} `
      data += part.toString()
    },
    frame: (type, stream, payload) => {
      flush()
      frames.push(`${type} ${stream} ${payload.toString()}`.trimEnd())
    },
  })
  for (const chunk of chunks) feed(chunk)
  flush()
  return frames
}

it('reads the same frames from any pieces', () => {
  const bytes = Buffer.concat([
    frameOf('open', 1, '{"target":"pg"}'),
    frameOf('accept', 1),
    frameOf('data', 1, 'hello'),
    frameOf('window', 0, Buffer.from([0x30, 0x31, 0x32, 0x33])),
    frameOf('data', 0xff_ff_ff_ff, 'x'),
    frameOf('end', 1),
    frameOf('refuse', 2, 'xxno'),
    frameOf('reset', 3, 'broken'),
    frameOf('ping', 0),
    frameOf('pong', 0),
    frameOf('goAway', 0),
    frameOf('deaf', 7),
  ])
  for (const chunks of cuts(bytes))
    expect(read(chunks)).toEqual([
      'open 1 {"target":"pg"}',
      'accept 1',
      'data 1 hello',
      'window 0 0123',
      'data 4294967295 x',
      'end 1',
      'refuse 2 xxno',
      'reset 3 broken',
      'ping 0',
      'pong 0',
      'goAway 0',
      'deaf 7',
    ])
})

it('has the layout that is written down', () => {
  expect(frameOf('data', 0x01_02_03_04, 'abc')).toEqual(Buffer.from([4, 0, 0, 3, 1, 2, 3, 4, 0x61, 0x62, 0x63]))
  expect(frameTypes).toEqual({
    open: 1,
    accept: 2,
    refuse: 3,
    data: 4,
    end: 5,
    reset: 6,
    window: 7,
    ping: 8,
    pong: 9,
    goAway: 10,
    deaf: 11,
  })
})

describe('cuts the link for', () => {
  it.each<[string, Buffer, string]>([
    ['a type that does not exist', Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), 'a frame of the unknown type 0'],
    ['a type of another version', Buffer.from([12, 0, 0, 0, 0, 0, 0, 1]), 'a frame of the unknown type 12'],
    ['something else that speaks', Buffer.from('HTTP/1.1 400 Bad Request\r\n'), 'a frame of the unknown type 72'],
    ['data that is too long', Buffer.from([4, 1, 0, 1, 0, 0, 0, 1]), 'a frame "data" of 65537 bytes'],
    ['data without any', frameOf('data', 1), 'a frame "data" of 0 bytes'],
    ['a wish that is too long', Buffer.from([1, 0xff, 0xff, 0xff, 0, 0, 0, 1]), 'a frame "open" of 16777215 bytes'],
    ['a short window', frameOf('window', 1, 'abc'), 'a frame "window" of 3 bytes'],
    ['a ping with a payload', frameOf('ping', 0, 'x'), 'a frame "ping" of 1 bytes'],
    ['a ping for a stream', frameOf('ping', 1), 'a frame "ping" for stream 1'],
    ['data for no stream', frameOf('data', 0, 'x'), 'a frame "data" for no stream'],
    ['a long reason', frameOf('reset', 1, 'x'.repeat(1025)), 'a frame "reset" of 1025 bytes'],
  ])('%s', (_, bytes, message) => {
    expect(() => read([bytes])).toThrow(LinkViolation)
    expect(() => read([bytes])).toThrow(message)
  })
})

it('knows that a frame is wrong before its payload has arrived', () => {
  expect(() => read([frameOf('open', 0, '{}').subarray(0, 8)])).toThrow(LinkViolation)
})

it('hands data on as it comes, without waiting for the rest or copying it', () => {
  const parts: Buffer[] = []
  const feed = createFrameReader({ data: (_, part) => void parts.push(part), frame: () => {} })
  const bytes = frameOf('data', 1, Buffer.alloc(longestPayload, 'x'))
  const first = bytes.subarray(0, 40_000)
  feed(first)
  expect(parts.map(({ length }) => length)).toEqual([39_992])
  expect(parts[0]?.buffer).toBe(first.buffer)
  feed(bytes.subarray(40_000))
  expect(parts.map(({ length }) => length)).toEqual([39_992, 25_544])
})

it('lets nobody keep a large chunk alive by a small part of it', () => {
  const parts: Buffer[] = []
  const feed = createFrameReader({ data: (_, part) => void parts.push(part), frame: () => {} })
  const chunk = Buffer.concat([frameOf('data', 1, 'name'), frameOf('data', 2, Buffer.alloc(60_000))])
  feed(chunk)
  expect(parts[0]?.toString()).toBe('name')
  expect(parts[0]?.buffer).not.toBe(chunk.buffer)
  expect(parts[1]?.buffer).toBe(chunk.buffer)
})

it.each<FrameType>(['open', 'refuse'])('puts a long "%s" together without copying it for each piece', (type) => {
  const payload = 'ab'.repeat(longestPayload / 2)
  const bytes = frameOf(type, 1, payload)
  const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, n) => bytes.subarray(n * 7, n * 7 + 7))
  expect(read(pieces)).toEqual([`${type} 1 ${payload}`])
})
