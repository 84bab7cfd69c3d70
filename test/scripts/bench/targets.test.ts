import { expect, test } from 'vitest'
import { reachedBy, targetOf, targets } from '../../../scripts/bench/targets.ts'

test.each([
  [0.21, 'missed'],
  [0.22, 'must'],
  [0.34, 'must'],
  [0.35, 'aim'],
] as const)('where more is better, %d is %s', (value, expected) => {
  expect(reachedBy(value, { better: 'higher', must: 0.22, aim: 0.35 } as (typeof targets)[number])).toBe(expected)
})

test.each([
  [56, 'missed'],
  [55, 'must'],
  [30, 'aim'],
] as const)('where less is better, %d is %s', (value, expected) => {
  expect(reachedBy(value, { better: 'lower', must: 55, aim: 30 } as (typeof targets)[number])).toBe(expected)
})

test('an aim is never easier than what must be', () => {
  for (const target of targets) expect(reachedBy(target.aim, target), JSON.stringify(target)).toBe('aim')
})

test('no figure has two targets', () => {
  const keys = targets.map(({ section, what, way, measure }) => `${section} ${what} ${way} ${measure}`)
  expect(new Set(keys).size).toBe(keys.length)
})

test('finds the target of a figure, and none for others', () => {
  const figure = { section: 'writes', what: 'read-write, 8 clients', way: 'cli', measure: 'ratio' } as const
  expect(targetOf(figure)).toMatchObject({ must: 0.6, aim: 0.85 })
  expect(targetOf({ ...figure, way: 'pgbouncer' })).toBeUndefined()
})
