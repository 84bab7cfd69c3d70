/**
 * The chart of the README: throughput as a share of a direct connection, with what has to be reached and what is aimed at.
 * Plain SVG with two sets of colours, so that it can be read on light and on dark pages. Pure.
 */
import type { Figure, Results, WayName } from '../figures.ts'
import type { SectionName } from '../arguments.ts'
import { type Target, targetOf } from '../targets.ts'

interface Group {
  readonly title: string
  readonly section: SectionName
  readonly what: string
}

const groups: readonly Group[] = [
  { title: 'reads, simple, 8 clients', section: 'reads', what: 'simple, 8 clients' },
  { title: 'reads, extended, 8 clients', section: 'reads', what: 'extended, 8 clients' },
  { title: 'reads, prepared, 8 clients', section: 'reads', what: 'prepared, 8 clients' },
  { title: 'reads, prepared, 32 clients', section: 'reads', what: 'prepared, 32 clients' },
  { title: 'read-write, 8 clients', section: 'writes', what: 'read-write, 8 clients' },
  { title: 'COPY out', section: 'bulk', what: 'COPY out' },
]

/** In this order, with the class that colours them. */
const shown: readonly { readonly way: WayName; readonly label: string; readonly colour: string }[] = [
  { way: 'pgbouncer', label: 'pgbouncer', colour: 'other' },
  { way: 'gateway-unflushed', label: 'gateway, audit not flushed', colour: 'pale' },
  { way: 'gateway', label: 'gateway', colour: 'gateway' },
  { way: 'cli', label: 'CLI + gateway', colour: 'cli' },
]

const width = 760
const labelWidth = 210
const plotWidth = width - labelWidth - 60
const barHeight = 15
const barGap = 4
const groupTitleHeight = 24
const groupGap = 14
const top = 56

const style = `
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.group { font-weight: 600 }
.quiet { fill: #59636e }
.grid { stroke: #d1d9e0 }
.other { fill: #8c959f } .pale { fill: #a5c8f0 } .gateway { fill: #2f7fd6 } .cli { fill: #1a4f8f }
.must { stroke: #c9510c; stroke-width: 2 } .aim { stroke: #1a7f37; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .quiet { fill: #9198a1 } .grid { stroke: #3d444d }
.other { fill: #7d8590 } .pale { fill: #39567a } .gateway { fill: #4493f8 } .cli { fill: #9ecbff }
.must { stroke: #f0883e } .aim { stroke: #3fb950 }
}`

export function chart({ figures, date, machine }: Pick<Results, 'figures' | 'date' | 'machine'>): string {
  const parts: string[] = []
  let y = top
  for (const { title, section, what } of groups) {
    const bars = shown.flatMap((one) => {
      const figure = figures.find(
        (found) =>
          found.section === section && found.what === what && found.way === one.way && found.measure === 'ratio',
      )
      return figure === undefined ? [] : [{ ...one, figure }]
    })
    if (bars.length === 0) continue
    parts.push(text(0, y + 12, title, 'group'))
    y += groupTitleHeight
    for (const { label, colour, figure } of bars) {
      parts.push(bar(y, label, colour, figure))
      y += barHeight + barGap
    }
    y += groupGap
  }
  if (parts.length === 0)
    throw new Error('these results have nothing that the chart shows: it needs reads, writes or bulk')
  return svg(y + 8, `${machine.cores} cores, ${date.slice(0, 10)}`, parts, y - groupGap)
}

function svg(height: number, about: string, parts: readonly string[], bottom: number): string {
  const lines = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line class="grid" x1="${x(share)}" x2="${x(share)}" y1="${top - 6}" y2="${bottom}"/>${text(x(share), top - 12, String(share), 'quiet', 'middle')}`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Throughput as a share of a direct connection">
<style>${style}
</style>
${text(0, 16, 'Throughput as a share of a direct connection', 'title')}
${text(width, 16, about, 'quiet', 'end')}
${legend()}
${lines.join('\n')}
${parts.join('\n')}
</svg>
`
}

function legend(): string {
  const mark = (kind: string, at: number, label: string) =>
    `<line class="${kind}" x1="${at}" x2="${at}" y1="26" y2="38"/>${text(at + 6, 36, label, 'quiet')}`
  return `${mark('must', 1, 'must')}${mark('aim', 56, 'aim')}`
}

function bar(y: number, label: string, colour: string, figure: Figure): string {
  const length = Math.min(1, Math.max(0, figure.value)) * plotWidth
  const target = targetOf(figure)
  return [
    text(labelWidth - 8, y + 12, label, 'quiet', 'end'),
    `<rect class="${colour}" x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
    text(width, y + 12, figure.value.toFixed(2), '', 'end'),
    target === undefined ? '' : `${tick('must', target, y)}${tick('aim', target, y)}`,
  ].join('')
}

function tick(kind: 'must' | 'aim', target: Target, y: number): string {
  return `<line class="${kind}" x1="${x(target[kind])}" x2="${x(target[kind])}" y1="${y - 2}" y2="${y + barHeight + 2}"/>`
}

function x(share: number): string {
  return (labelWidth + share * plotWidth).toFixed(1)
}

function text(at: number | string, y: number, words: string, kind: string, anchor = 'start'): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${at}" y="${y}" class="${kind}" text-anchor="${anchor}">${escaped}</text>`
}
