/** Text as the screens handle it: pieces that each have one meaning, on lines that have been measured. */
import type { Tone } from '../theme.ts'
import { graphemesOf, widthOf } from './width.ts'

export interface Span {
  readonly text: string
  /** What it means; theme.ts says how that looks. Absent: plain. */
  readonly tone?: Tone | undefined
}

export type Line = readonly Span[]

export function lineWidth(line: Line): number {
  let width = 0
  for (const span of line) width += widthOf(span.text)
  return width
}

/** The line in exactly `width` columns: padded with spaces, or cut with `…` as its last column. */
export function fitted(line: Line, width: number): Line {
  if (width <= 0) return []
  const missing = width - lineWidth(line)
  if (missing === 0) return line
  if (missing > 0) return [...line, { text: ' '.repeat(missing) }]
  return cut(line, width)
}

/** Text in one span, in exactly `width` columns. */
export function column(text: string, width: number, tone?: Tone): Line {
  return fitted([{ text, tone }], width)
}

/** Left and right on one line; the left gives way. */
export function spread(left: Line, right: Line, width: number): Line {
  const rightWidth = lineWidth(right)
  if (rightWidth + 2 > width) return fitted(left, width)
  return [...fitted(left, width - rightWidth - 1), { text: ' ' }, ...right]
}

function cut(line: Line, width: number): Line {
  const kept: Span[] = []
  let room = width - 1
  for (const span of line) {
    let text = ''
    for (const grapheme of graphemesOf(span.text)) {
      const needed = widthOf(grapheme)
      if (needed > room) {
        kept.push({ ...span, text })
        // A wide character that does not fit leaves one column open.
        return [...kept, { text: `…${' '.repeat(room)}`, tone: 'quiet' }]
      }
      text += grapheme
      room -= needed
    }
    kept.push({ ...span, text })
  }
  return kept
}
