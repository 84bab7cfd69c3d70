/** `label    value`, headings and small print, as the detail views use them. */
import { wrapSpans } from '../text/paragraph.ts'
import type { Line, Span } from '../text/span.ts'

const labelWidth = 9

/** `label    value …`, the value wrapped beside its label. */
export function entry(label: string, value: Line, width: number): readonly Line[] {
  return wrapSpans(value, Math.max(12, width - labelWidth)).map((line, index) => [
    { text: (index === 0 ? label : '').padEnd(labelWidth), tone: 'quiet' },
    ...line,
  ])
}

/** Several values under one label. */
export function entries(label: string, values: readonly Line[], width: number): readonly Line[] {
  return values.flatMap((value, index) => entry(index === 0 ? label : '', value, width))
}

export function heading(text: string): readonly Line[] {
  return [[], [{ text, tone: 'title' }]]
}

export function quiet(text: string): Span {
  return { text, tone: 'quiet' }
}
