import { expect, it } from 'vitest'
import { excerpt, isSuspicious, visible, visibleSpans } from '../../../src/tui/text/visible.ts'

it.each([
  ['an escape sequence', '\x1b[2Jgone', '␛[2Jgone'],
  ['a C1 control', 'a\x9b31mb', 'a<U+009B>31mb'],
  ['DEL', 'a\x7f', 'a␡'],
  ['a bell, a NUL and a carriage return', '\x07\0\r', '␇␀␍'],
  ['a right-to-left override', 'x\u202egnp.exe', 'x<U+202E>gnp.exe'],
  ['isolates and marks', '\u2066\u2069\u200f\u061c', '<U+2066><U+2069><U+200F><U+061C>'],
  ['zero width characters', 'a\u200bb\u200dc\ufeffd\u2060', 'a<U+200B>b<U+200D>c<U+FEFF>d<U+2060>'],
  ['a soft hyphen and a filler', '\u00ad\u3164', '<U+00AD><U+3164>'],
  ['tags', '\u{e0041}', '<U+E0041>'],
  ['variation selectors', 'x\ufe0f', 'x<U+FE0F>'],
  ['line and paragraph separators', '\u2028\u2029', '<U+2028><U+2029>'],
  ['spaces that are not the space', 'a\u00a0b\u3000', 'a<U+00A0>b<U+3000>'],
  ['half a surrogate pair', 'a\ud83d', 'a<U+D83D>'],
])('shows %s instead of obeying it', (_, text, shown) => {
  expect(visible(text)).toBe(shown)
})

it.each(['plain text', 'naïve', 'Ünïcode 漢字 テスト 😀', "O'Hara -- $1 \\ \u20ac"])('leaves %s as it is', (text) => {
  expect(visible(text)).toBe(text)
})

it('leaves no control, format or lone surrogate character of all of Unicode in what it shows', () => {
  const wrong: string[] = []
  for (let code = 0; code <= 0x10ffff; code += 1) {
    const character = String.fromCodePoint(code)
    const shown = visible(character)
    if (/[\p{Cc}\p{Cf}\p{Cs}]/u.test(shown)) wrong.push(`${code} is shown as itself`)
    if (shown !== character && isSuspicious(shown)) wrong.push(`${code} is shown as something suspicious`)
  }
  expect(wrong).toEqual([])
})

it('marks stand-ins, so that the same characters typed cannot pass for them', () => {
  expect(visibleSpans('a\x1b<U+001B>')).toEqual([
    { text: 'a', tone: undefined },
    { text: '␛', tone: 'hidden' },
    { text: '<U+001B>', tone: undefined },
  ])
})

it('puts an excerpt on one line in which a comment visibly ends', () => {
  expect(excerpt('-- fine\r\n\n\t DROP   TABLE x;\n')).toBe('-- fine ↵ DROP TABLE x;')
})
