import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  createFrameReader,
  Fields,
  longestFrame,
  message,
  SftpBroken,
} from '../../../../../src/gateway/protocols/ssh/sftp/wire.ts'
import { cuts } from '../../../../support/chunks.ts'

const frames = [
  message(1, 3),
  message(3, 7, '/srv/a', 1, 0),
  message(6, 8, 'h', 0, 0, 'some bytes'),
  message(4, 9, 'h'),
]
const stream = Buffer.concat(frames)

describe('frames', () => {
  it('are the same however the bytes arrive', () => {
    for (const chunks of cuts(stream)) {
      const reader = createFrameReader('the client')
      const read = chunks.flatMap((chunk) => reader.push(chunk))
      expect(read.map(({ bytes }) => bytes)).toEqual(frames)
      expect(read.map(({ type }) => type)).toEqual([1, 3, 6, 4])
      expect(reader.isInside).toBe(false)
    }
  })

  it('are views over what arrived whole', () => {
    const [first] = createFrameReader('the client').push(stream)
    expect(first?.bytes.buffer).toBe(stream.buffer)
    expect(first?.bytes.byteOffset).toBe(stream.byteOffset)
  })

  it('are put together from large pieces', () => {
    const data = randomBytes(200_000)
    const whole = message(103, 1, data)
    const reader = createFrameReader('the target')
    const read = [0, 65_536, 131_072, 196_608].flatMap((at) => reader.push(whole.subarray(at, at + 65_536)))
    expect(read).toHaveLength(1)
    expect(read[0]?.bytes.equals(whole)).toBe(true)
  })

  it('knows that one is unfinished', () => {
    const reader = createFrameReader('the client')
    reader.push(stream.subarray(0, 2))
    expect(reader.isInside).toBe(true)
  })

  it.each([
    ['is empty', 0],
    ['is longer than any may be', longestFrame + 1],
    ['claims four gigabytes', 0xffffffff],
  ])('refuses one that %s', (_what, length) => {
    for (const chunks of cuts(lengthOf(length))) {
      const reader = createFrameReader('the client')
      expect(() => {
        for (const chunk of chunks) reader.push(chunk)
      }).toThrow(SftpBroken)
    }
  })

  it('takes one that is as long as any may be', () => {
    const reader = createFrameReader('the client')
    reader.push(lengthOf(longestFrame))
    expect(reader.push(Buffer.alloc(longestFrame))).toHaveLength(1)
  })
})

describe('fields', () => {
  it('refuses a string that is longer than its frame', () => {
    const frame = { type: 3, bytes: Buffer.concat([lengthOf(9), Buffer.from([3]), lengthOf(5), lengthOf(1)]) }
    expect(() => new Fields(frame, 'the client').string()).toThrow('the client sent a message that ends too early')
  })
})

function lengthOf(length: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}
