/** Wraps one line of spans to a width, at spaces where that is possible. The text is visible already (visible.ts). */
import type { Line, Span } from './span.ts'
import { graphemesOf, widthOf } from './width.ts'

export function wrapSpans(line: Line, width: number): readonly Line[] {
  const lines: { text: string; tone: Span['tone'] }[][] = [[]]
  let used = 0
  const put = (text: string, tone: Span['tone'], needed: number): void => {
    const row = lines.at(-1)
    const last = row?.at(-1)
    if (last !== undefined && last.tone === tone) last.text += text
    else row?.push({ text, tone })
    used += needed
  }
  const breakLine = (): void => {
    lines.push([])
    used = 0
  }
  for (const { text, tone } of line) {
    // Words with the spaces behind them, so that a break swallows nothing.
    for (const word of text.match(/\s*\S+\s*|\s+/g) ?? []) {
      const needed = widthOf(word.trimEnd())
      if (used > 0 && used + needed > width) breakLine()
      if (needed <= width) {
        const full = used + widthOf(word) > width ? word.trimEnd() : word
        put(full, tone, widthOf(full))
        continue
      }
      for (const grapheme of graphemesOf(word)) {
        if (used + widthOf(grapheme) > width) breakLine()
        put(grapheme, tone, widthOf(grapheme))
      }
    }
  }
  return lines
}
