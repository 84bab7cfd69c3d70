import { expect, it } from 'vitest'
import { linesBlock, stack, windowOf } from '../../../src/tui/text/block.ts'
import { wrapSpans } from '../../../src/tui/text/paragraph.ts'
import { type Line, lineWidth } from '../../../src/tui/text/span.ts'
import { piecesOf } from '../../../src/tui/text/sql.ts'
import { wrapText } from '../../../src/tui/text/wrap.ts'

const textOf = (line: Line): string => line.map(({ text }) => text).join('')
const rowsOf = (text: string, width: number): string[] => {
  const block = wrapText(text, width, piecesOf(text))
  return windowOf(block, 0, block.rows).map(textOf)
}

it('keeps lines, and numbers them where there is room', () => {
  expect(rowsOf('SELECT 1\n  FROM t\r\n\nWHERE x', 60)).toEqual(['1│ SELECT 1', '2│   FROM t', '3│ ', '4│ WHERE x'])
  expect(rowsOf('a\nb', 40)).toEqual(['a', 'b'])
})

it('breaks behind a space near the end of a row, and anywhere if there is none', () => {
  expect(rowsOf('SELECT name, total FROM', 20)).toEqual(['SELECT name, total ', 'FROM'])
  expect(rowsOf('x'.repeat(25), 20)).toEqual(['x'.repeat(20), 'x'.repeat(5)])
})

it.each([
  ['ASCII', 'SELECT a, b FROM somewhere WHERE something = 12 '.repeat(20)],
  ['wide characters', "SELECT '漢字テスト' , '😀👍🇩🇪' ".repeat(20)],
  ['hidden characters', 'DROP\u200b TABLE\u202e x\x1b[31m\t'.repeat(20)],
  ['combining marks', 'e\u0301e\u0301o\u0308 '.repeat(60)],
  ['long lines and empty ones', `${'a '.repeat(90)}\n\n\n${'\t'.repeat(40)}\n漢`],
])('leaves out nothing of %s and is never wider than asked', (_, text) => {
  for (const width of [16, 40, 77, 80]) {
    const block = wrapText(text, width, piecesOf(text))
    const lines = windowOf(block, 0, block.rows)
    for (const line of lines) expect(lineWidth(line)).toBeLessThanOrEqual(width)
    const shown = lines.flatMap((line) => line.filter(({ tone }) => tone !== 'quiet').map((span) => span.text)).join('')
    const stripped = (all: string): string => all.replaceAll(/[\s\u200b\u202e\x1b]|<U\+200B>|<U\+202E>|␛/g, '')
    expect(stripped(shown)).toBe(stripped(text))
  }
})

it('does not break a surrogate pair where it looks at text in pieces', () => {
  const text = `漢${'😀'.repeat(5000)}`
  expect(rowsOf(text, 80).join('')).toBe(text)
})

it('tones what stands for hidden characters apart from the text', () => {
  const block = wrapText("'a\u200b'", 40, piecesOf("'a\u200b'"))
  expect(block.row(0)).toEqual([
    { text: "'a", tone: 'literal' },
    { text: '<U+200B>', tone: 'hidden' },
    { text: "'", tone: 'literal' },
  ])
})

it('shows the end of a statement that hides behind nine megabytes of comment', () => {
  const text = `/*${'x '.repeat(4_500_000)}*/ DROP TABLE orders`
  const block = wrapText(text, 80, piecesOf(text))
  expect(textOf(block.row(block.rows - 1))).toMatch(/DROP TABLE orders$/)
})

it('wraps spans at spaces and cuts words that are too long', () => {
  const lines = wrapSpans([{ text: 'one two ', tone: 'strong' }, { text: 'threefourfivesixseven' }], 12)
  expect(lines.map(textOf).map((line) => line.trimEnd())).toEqual(['one two', 'threefourfiv', 'esixseven'])
})

it('stacks blocks into one document', () => {
  const block = stack([linesBlock([[{ text: 'a' }]]), linesBlock([]), wrapText('b\nc', 20)])
  expect(windowOf(block, 0, 10).map(textOf)).toEqual(['a', 'b', 'c'])
  expect(windowOf(block, 2, 10).map(textOf)).toEqual(['c'])
})
