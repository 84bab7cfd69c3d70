/** What base/visible.ts makes of text from outside, as spans and excerpts: what a screen shows. */
import { standIn, suspiciousRuns, visibleLine } from '../../base/visible.ts'
import type { Line, Span } from './span.ts'

/** As spans, stand-ins in their own tone. Line breaks are shown too: this is for one line. */
export function visibleSpans(text: string, tone?: Span['tone']): Line {
  const spans: Span[] = []
  let from = 0
  for (const { 0: run, index } of text.matchAll(suspiciousRuns)) {
    if (index > from) spans.push({ text: text.slice(from, index), tone })
    spans.push({ text: Array.from(run, standIn).join(''), tone: 'hidden' })
    from = index + run.length
  }
  if (from < text.length) spans.push({ text: text.slice(from), tone })
  return spans
}

/** The beginning of a text of any length on one line, for lists. */
export function excerpt(text: string, length = 500): string {
  return visibleLine(text.slice(0, length)).replaceAll(/ +/g, ' ')
}
