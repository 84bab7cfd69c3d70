import { expect, test } from 'vitest'
import { inRounds, turned } from '../../../scripts/bench/rounds.ts'
import { median, pairwise, percentile, spreadOf } from '../../../scripts/bench/statistics.ts'

test.each([
  [[3], 3],
  [[9, 1, 5], 5],
  [[4, 1, 3, 2], 2.5],
])('the median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected)
})

test('the median does not sort what it is given', () => {
  const values = [3, 1, 2]
  median(values)
  expect(values).toEqual([3, 1, 2])
})

test('a percentile is a value that occurred: the nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, at) => at + 1)
  expect(percentile(hundred, 0.5)).toBe(50)
  expect(percentile(hundred, 0.99)).toBe(99)
  expect(percentile(hundred, 1)).toBe(100)
  expect(percentile([7], 0.99)).toBe(7)
})

test('nothing measured is an error, not a zero', () => {
  expect(() => median([])).toThrow('nothing was measured')
  expect(() => percentile([], 0.5)).toThrow('nothing was measured')
})

test('a spread has the median and both ends', () => {
  expect(spreadOf([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 })
})

test('pairs each round with the same round of the reference', () => {
  expect(pairwise([10, 40], [20, 50], (value, reference) => value / reference)).toEqual([0.5, 0.8])
})

test('rounds that cannot be paired are an error', () => {
  expect(() => pairwise([1, 2], [1], (value) => value)).toThrow('2 rounds cannot be paired with 1')
})

test('measures every lane once before any a second time, beginning with another each round', async () => {
  const order: string[] = []
  const samples = await inRounds(3, ['a', 'b'], async (lane, round) => {
    order.push(`${lane}${round}`)
    return round
  })
  expect(order).toEqual(['a0', 'b0', 'b1', 'a1', 'a2', 'b2'])
  expect(samples.get('b')).toEqual([0, 1, 2])
})

test('turns a list without losing anything', () => {
  expect(turned([1, 2, 3], 4)).toEqual([2, 3, 1])
  expect(turned([], 2)).toEqual([])
})
