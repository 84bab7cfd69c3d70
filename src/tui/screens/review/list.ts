/** The pending approvals as a table. Pure: one line for each, cut to the columns that there are. */
import { visibleLine } from '../../../base/visible.ts'
import { askedInWords, isCommandLine } from '../../../contract/told.ts'
import { column, fitted, type Line, spread } from '../../text/span.ts'
import { age, secondsLeft } from '../../text/time.ts'
import { excerpt } from '../../text/visible.ts'
import { widthOf } from '../../text/width.ts'
import type { Tone } from '../../theme.ts'
import { type Item, isPending } from './items.ts'
import { standing } from './prompt.ts'

interface Column {
  readonly title: string
  readonly width: number
  of(item: Item): string
  tone?(item: Item): Tone | undefined
}

/** Heading first, then the items from `from` on, `height` lines in all. */
export function listLines(
  items: readonly Item[],
  options: { selected: string | null; from: number; height: number; width: number; now: number },
): readonly Line[] {
  const { selected, from, height, width, now } = options
  const columns = columnsFor(items, width, now)
  const titles = columns.flatMap(({ title, width }, at) =>
    at === columns.length - 1
      ? [{ text: ` ${title}`, tone: 'quiet' } as const]
      : column(`${at === 0 ? '  ' : ' '}${title}`, width + (at === 0 ? 0 : 1), 'quiet'),
  )
  const below = items.length - from - (height - 1)
  const more = [from > 0 ? `▲ ${from}` : '', below > 0 ? `▼ ${below}` : ''].filter(Boolean).join(' ')
  const heading = more === '' ? fitted(titles, width) : spread(titles, [{ text: more, tone: 'quiet' }], width)
  const rows = items.slice(from, from + height - 1).map((item): Line => {
    const marked = item.approval.id === selected
    const cells = columns.flatMap((cell, at): Line => {
      const tone = isPending(item) ? cell.tone?.(item) : 'quiet'
      const lead = at === 0 ? `${marked ? '▸' : ' '} ` : ' '
      return [{ text: lead }, ...column(cell.of(item), at === 0 ? cell.width - 2 : cell.width, tone)]
    })
    const line = fitted(cells, width)
    return marked ? [{ text: line.map(({ text }) => text).join(''), tone: 'selected' }] : line
  })
  return [heading, ...rows]
}

function columnsFor(items: readonly Item[], width: number, now: number): readonly Column[] {
  const widest = (of: (item: Item) => string, least: number, most: number): number =>
    Math.max(least, Math.min(most, ...[Math.max(0, ...items.map((item) => widthOf(of(item))))]))
  const left: Column = {
    title: 'LEFT',
    width: 2 + widest((item) => standing(item, now), 5, 9),
    of: (item) => standing(item, now),
    tone: ({ approval }) => (secondsLeft(approval.expires, now) < 60 ? 'bad' : undefined),
  }
  const who = ({ approval: { user, agent } }: Item): string => visibleLine(agent === null ? user : `${user} (${agent})`)
  const target = ({ approval }: Item): string => visibleLine(approval.target)
  const rule = ({ approval }: Item): string => visibleLine(approval.needs.map((need) => need.rule).join(', '))
  const columns: Column[] = [left]
  if (width >= 50) columns.push({ title: 'AGE', width: 3, of: ({ approval }) => age(approval.created, now) })
  const share = width < 100 ? width / 4 : width / 5
  columns.push({ title: 'WHO', width: widest(who, 3, Math.floor(share)), of: who })
  if (width >= 60) columns.push({ title: 'TARGET', width: widest(target, 6, 16), of: target })
  if (width >= 100)
    columns.push({ title: 'RULE', width: widest(rule, 4, Math.floor(width / 6)), of: rule, tone: () => 'warning' })
  const used = columns.reduce((sum, cell) => sum + cell.width + 1, 0)
  columns.push({ title: 'ASKS', width: Math.max(4, width - used), of: summaryOf })
  return columns
}

/** `DROP TABLE public.orders`, or the beginning of the text where no object has a name. Of a batch, what is held. */
export function summaryOf({ approval: { commands } }: Pick<Item, 'approval'>): string {
  const held = commands.find(({ decision }) => decision.verdict === 'hold') ?? commands[0]
  if (held === undefined) return ''
  const { verb, objects, text } = held.asked
  const more = commands.length === 1 ? '' : ` (+${commands.length - 1} more)`
  // A command line says more than the first program in it.
  if (isCommandLine(held.asked)) return `${excerpt(askedInWords(held.asked))}${more}`
  return objects.length > 0 ? `${visibleLine(`${verb} ${objects.join(', ')}`)}${more}` : `${excerpt(text)}${more}`
}
