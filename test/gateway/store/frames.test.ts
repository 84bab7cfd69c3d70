import { expect, test } from 'vitest'
import { genesis } from '../../../src/contract/chain.ts'
import { entryOf } from '../../../src/gateway/store/entry.ts'
import { frameOf, readFrames } from '../../../src/gateway/store/frames.ts'
import { type Batch, type End, seal } from '../../../src/gateway/store/seal.ts'
import { command } from '../../support/store-folder.ts'

const start: End = { seq: 0, hash: genesis }

function batchAfter(end: End, ...ids: string[]): Batch {
  return seal(
    ids.map((id) => entryOf(command(id), 0)),
    end,
  )
}
const bytes = (batch: Batch) => Buffer.concat(frameOf(batch))
const firsts = (file: Buffer) => readFrames(file).frames.map(({ first }) => first)

const one = batchAfter(start, 'a', 'b')
const two = batchAfter(one.end, 'c')
const three = batchAfter(two.end, 'd', 'ä')
const room = Buffer.alloc(1000)

test('frames that follow each other are read up to the room behind them', () => {
  const { frames, lost } = readFrames(Buffer.concat([bytes(one), bytes(two), bytes(three), room]))
  expect(frames.map(({ first, lines }) => [first, lines.length])).toEqual([
    [1, 2],
    [3, 1],
    [4, 2],
  ])
  expect(lost).toBeUndefined()
  expect(readFrames(room)).toEqual({ frames: [], lost: undefined })
})

test('a last frame that was cut anywhere is none, and nothing is lost by that', () => {
  const last = bytes(three)
  for (let cut = 0; cut < last.length; cut += 7) {
    const reading = readFrames(Buffer.concat([bytes(one), bytes(two), last.subarray(0, cut), room]))
    expect(reading.frames).toHaveLength(2)
    expect(reading.lost).toBeUndefined()
  }
})

test('old frames behind the newest are not read again', () => {
  // Written over from the beginning; what stands behind is from the round before, whole.
  const old = Buffer.concat([bytes(one), bytes(two)])
  const fresh = Buffer.concat([bytes(three), old])
  expect(readFrames(fresh)).toMatchObject({ frames: [{ first: 4 }], lost: undefined })
})

test('a damaged frame in front of a whole newer one is noticed, wherever the damage is', () => {
  const middle = bytes(two)
  for (let at = 0; at < middle.length; at += 11) {
    const hurt = Buffer.from(middle)
    hurt[at] = (hurt[at] ?? 0) ^ 1
    const reading = readFrames(Buffer.concat([bytes(one), hurt, bytes(three), room]))
    expect(reading.frames.length).toBe(1)
    expect(reading.lost?.first).toBe(4)
  }
})

test('a text that looks like a frame is text', () => {
  const fake = bytes(batchAfter({ seq: 900, hash: genesis }, 'x')).toString()
  const text = seal([entryOf(command('t', { text: `\n${fake}` }), 0)], start)
  const torn = Buffer.concat([bytes(text).subarray(1), room])
  expect(readFrames(torn)).toEqual({ frames: [], lost: undefined })
})

test('a number that was changed is a damage, not another record', () => {
  const file = bytes(one).toString().replace('hoop-journal 1 1 2', 'hoop-journal 1 7 2')
  expect(firsts(Buffer.from(file))).toEqual([])
})
