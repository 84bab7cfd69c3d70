/** The lines every screen has: title, banner, bottom line, help, and one line of text being typed. */
import { visibleLine } from '../../base/visible.ts'
import { type KeyTable, keyLabel } from '../keys.ts'
import type { Movement } from '../scrolling.ts'
import type { Connection } from '../source.ts'
import { fitted, type Line, lineWidth, type Span, spread } from '../text/span.ts'
import { graphemesOf, widthOf } from '../text/width.ts'
import type { Tone } from '../theme.ts'

export function titleLine(name: string, middle: Line, right: Line, width: number): Line {
  const left: Line = [{ text: name, tone: 'title' }, { text: '  ' }, ...middle]
  // The right side gives way first where hardly more than the name fits.
  return lineWidth(right) + widthOf(name) + 8 > width ? fitted(left, width) : spread(left, right, width)
}

/** Says why nothing new comes. */
export function bannerLine(connection: Connection, width: number): Line {
  if (connection.state === 'connecting')
    return fitted([{ text: 'Connecting to the gateway …', tone: 'warning' }], width)
  const reason = connection.state === 'lost' ? `: ${visibleLine(connection.reason)}` : ''
  return fitted([{ text: `Connection lost, trying again${reason}`, tone: 'bad' }], width)
}

/** As many of the keys as fitted, in the table's order; the last two (help and leaving) always. */
export function barLine<Action extends string>(table: KeyTable<Action>, width: number): Line {
  const hints = table.flatMap(({ keys: [key], bar }) => (key === undefined || bar === undefined ? [] : [{ key, bar }]))
  const spans = ({ key, bar }: { key: string; bar: string }): Span[] => [
    { text: keyLabel(key), tone: 'key' },
    { text: ` ${bar}  `, tone: 'quiet' },
  ]
  const tail = hints.slice(-2).flatMap(spans)
  let room = width - lineWidth(tail)
  const head: Span[] = []
  for (const hint of hints.slice(0, -2)) {
    const piece = spans(hint)
    room -= lineWidth(piece)
    if (room < 0) break
    head.push(...piece)
  }
  return fitted([...head, ...tail], width)
}

/** What moves in the help itself; any other key closes it. */
export const helpKeys: KeyTable<Movement> = [
  { keys: ['j', 'down'], action: 'down', help: 'down' },
  { keys: ['k', 'up'], action: 'up', help: 'up' },
  { keys: ['pageDown', ' '], action: 'pageDown', help: 'page down' },
  { keys: ['pageUp'], action: 'pageUp', help: 'page up' },
]

export function helpBarLine(rows: number, height: number, width: number): Line {
  const more: Line =
    rows > height
      ? [
          { text: 'j k', tone: 'key' },
          { text: ' scroll', tone: 'quiet' },
        ]
      : []
  return fitted([{ text: 'Esc', tone: 'key' }, { text: ' close  ', tone: 'quiet' }, ...more], width)
}

export interface HelpPart<Action extends string> {
  readonly title: string
  readonly table: KeyTable<Action>
}

/** Titles and keys; in two columns where there is room, since a terminal has few rows. */
export function helpLines<Action extends string>(parts: readonly HelpPart<Action>[], width: number): readonly Line[] {
  const blocks = parts.map(({ title, table }): readonly Line[] => [
    [{ text: title, tone: 'title' }],
    ...table.map(
      ({ keys, help }): Line => [
        ...fitted([{ text: ` ${keys.map(keyLabel).join(' ')}`, tone: 'key' }], 12),
        { text: ` ${help}` },
      ],
    ),
  ])
  if (width < 76) return blocks.flatMap((lines) => [...lines, []])
  const half = Math.floor(width / 2)
  const [left = [], right = []] = blocks
  return Array.from({ length: Math.max(left.length, right.length) }, (_, row) => [
    ...fitted(left[row] ?? [], half),
    ...(right[row] ?? []),
  ])
}

/** The end of what is typed, so that the cursor is seen. */
export function inputLine(question: string, input: string, width: number, tone?: Tone): Line {
  const room = Math.max(1, width - widthOf(question) - 1)
  const graphemes = [...graphemesOf(input)]
  let from = graphemes.length
  for (let used = 0; from > 0; from -= 1) {
    used += widthOf(graphemes[from - 1] ?? '')
    if (used > room) break
  }
  return fitted(
    [
      { text: question, tone: 'strong' },
      { text: graphemes.slice(from).join(''), tone },
      { text: ' ', tone: 'selected' },
    ],
    width,
  )
}

/** `── left ───────── right ──`; the right side goes first where there is no room. */
export function dividerLine(left: Line, right: Line, width: number): Line {
  const start: Line = lineWidth(left) === 0 ? [] : [{ text: '── ', tone: 'quiet' }, ...left, { text: ' ' }]
  const end: Line = lineWidth(right) === 0 ? [] : [{ text: ' ' }, ...right, { text: ' ──', tone: 'quiet' }]
  const rest = width - lineWidth(start) - lineWidth(end)
  if (rest >= 0) return [...start, { text: '─'.repeat(rest), tone: 'quiet' }, ...end]
  return end.length > 0 ? dividerLine(left, [], width) : fitted(start, width)
}
