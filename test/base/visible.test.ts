import { expect, test } from 'vitest'
import { visible, visibleLine } from '../../src/base/visible.ts'

test.each([
  ['an escape sequence', '\u001b[2J\u001b]0;title\u0007', '\\x1b[2J\\x1b]0;title\\x07'],
  ['a carriage return that would overwrite the line', 'DROP\rSELECT', 'DROP\\x0dSELECT'],
  ['an eight-bit control sequence', '\u009b31m', '\\x9b31m'],
  ['text that reads backwards', 'a\u202eb', 'a\\u{202e}b'],
  ['letters without width', 'us\u200bers', 'us\\u{200b}ers'],
  ['a tag character', 'a\u{e0041}', 'a\\u{e0041}'],
  ['half a character', 'a\ud800', 'a\\u{d800}'],
])('shows %s and does not obey it', (_what, text, shown) => {
  expect(visible(text)).toBe(shown)
  expect(visibleLine(text)).toBe(shown)
})

test('keeps lines and tabs where a text may have several lines', () => {
  expect(visible('a\r\n\tb')).toBe('a\n\tb')
})

test('shows in one line what has several, so that nothing hides behind a comment', () => {
  expect(visibleLine('  SELECT 1 -- harmless\n\n  ; DROP TABLE t\n')).toBe('SELECT 1 -- harmless ↵ ; DROP TABLE t')
})

test('leaves letters of every script alone', () => {
  expect(visible('Grüße, 你好, 👩‍🚀'.replace('\u200d', ''))).toBe('Grüße, 你好, 👩🚀')
})
