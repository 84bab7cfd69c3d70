import { expect, it } from 'vitest'
import { fitted, type Line, lineWidth, spread } from '../../../src/tui/text/span.ts'
import { age, countdown, secondsLeft } from '../../../src/tui/text/time.ts'

const textOf = (line: Line): string => line.map(({ text }) => text).join('')

it.each([
  ['ab', 4, 'ab  '],
  ['abcdef', 4, 'abc…'],
  ['漢字漢', 5, '漢字…'],
  ['漢字漢', 4, '漢… '],
  ['👍👍👍', 5, '👍👍…'],
  ['abc', 0, ''],
  ['abc', 1, '…'],
])('fits %j into %i columns', (text, width, expected) => {
  const line = fitted([{ text }], width)
  expect(textOf(line)).toBe(expected)
  expect(lineWidth(line)).toBe(width)
})

it('lets the left give way to the right', () => {
  expect(textOf(spread([{ text: 'a long left side' }], [{ text: 'right' }], 14))).toBe('a long … right')
})

it('counts down in minutes and hours, never below zero', () => {
  expect([870, 61, 5, 3723].map(countdown)).toEqual(['14:30', '1:01', '0:05', '1:02:03'])
  expect(secondsLeft('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:05Z'))).toBe(0)
})

it('never tells a negative age', () => {
  expect(age('2026-01-01T00:00:10Z', Date.parse('2026-01-01T00:00:00Z'))).toBe('0s')
  expect(age('2026-01-01T00:00:00Z', Date.parse('2026-01-01T02:10:00Z'))).toBe('2h')
})
