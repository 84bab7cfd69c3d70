import { expect, test } from 'vitest'
import { isSuspicious, visible, visibleLine } from '../../src/base/visible.ts'

test.each([
  ['an escape sequence', '\u001b[2J\u001b]0;title\u0007', '␛[2J␛]0;title␇'],
  ['a carriage return that would overwrite the line', 'DROP\rSELECT', 'DROP␍SELECT'],
  ['an eight-bit control sequence', 'a\u009b31m', 'a<U+009B>31m'],
  ['DEL', 'a\x7f', 'a␡'],
  ['a bell, a NUL and a carriage return', '\x07\0\rx', '␇␀␍x'],
  ['text that reads backwards', 'x\u202egnp.exe', 'x<U+202E>gnp.exe'],
  ['isolates and marks', '\u2066\u2069\u200f\u061c', '<U+2066><U+2069><U+200F><U+061C>'],
  ['letters without width', 'a\u200bb\u200dc\u2060d', 'a<U+200B>b<U+200D>c<U+2060>d'],
  ['a soft hyphen and a filler', 'a\u00ad\u3164b', 'a<U+00AD><U+3164>b'],
  ['a tag character', 'a\u{e0041}', 'a<U+E0041>'],
  ['variation selectors', 'x\ufe0f', 'x<U+FE0F>'],
  ['line and paragraph separators', 'a\u2028\u2029b', 'a<U+2028><U+2029>b'],
  ['spaces that are not the space', 'a\u00a0b\u3000c', 'a<U+00A0>b<U+3000>c'],
  ['half a character', 'a\ud83d', 'a<U+D83D>'],
])('shows %s and does not obey it', (_what, text, shown) => {
  expect(visible(text)).toBe(shown)
  expect(visibleLine(text)).toBe(shown)
})

test.each(['plain text', 'naïve', 'Ünïcode 漢字 テスト 😀', "O'Hara -- $1 \\ \u20ac"])('leaves %s as it is', (text) => {
  expect(visible(text)).toBe(text)
})

test('leaves no control, format or lone surrogate character of all of Unicode in what it shows', () => {
  const wrong: string[] = []
  for (let code = 0; code <= 0x10ffff; code += 1) {
    const character = String.fromCodePoint(code)
    const shown = visibleLine(`a${character}b`)
    if (/[\p{Cc}\p{Cf}\p{Cs}]/u.test(shown)) wrong.push(`${code} is shown as itself`)
    if (Array.from(shown).some(isSuspicious)) wrong.push(`${code} is shown as something suspicious`)
  }
  expect(wrong).toEqual([])
})

test('keeps lines and tabs where a text may have several lines', () => {
  expect(visible('a\r\n\tb')).toBe('a\n\tb')
})

test('shows in one line what has several, so that nothing hides behind a comment', () => {
  expect(visibleLine('  SELECT 1 -- harmless\n\n  ; DROP TABLE t\n')).toBe('SELECT 1 -- harmless ↵ ; DROP TABLE t')
})
