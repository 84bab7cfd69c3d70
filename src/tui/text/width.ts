/** Columns that text takes in a terminal. Nearly all of it is ASCII, which is measured without looking anything up. */
import stringWidth from 'string-width'

const ascii = /^[\x20-\x7e]*$/
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Widths of what was measured before, one character each: a large text repeats the same few thousand. */
const known = new Map<string, number>()
const mostKnown = 20_000

export function widthOf(text: string): number {
  if (ascii.test(text)) return text.length
  if (text.length > 2) return stringWidth(text)
  let width = known.get(text)
  if (width === undefined) {
    width = stringWidth(text)
    if (known.size < mostKnown) known.set(text, width)
  }
  return width
}

/** What a person sees as one character each. */
export function graphemesOf(text: string): Iterable<string> {
  return ascii.test(text) ? text : Array.from(segmenter.segment(text), ({ segment }) => segment)
}
