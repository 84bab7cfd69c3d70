/** Records as a table: one line each, cut to the columns that there are. Only those on the screen are made. */
import { visibleLine } from '../../../base/visible.ts'
import type { AuditRecord } from '../../../contract/record.ts'
import { column, fitted, type Line } from '../../text/span.ts'
import { timeOfDay } from '../../text/time.ts'
import { describe } from './describe.ts'

/** Fixed, so that columns do not jump while records pass by. */
function widthsFor(width: number): { readonly who: number; readonly target: number } {
  return { who: width < 60 ? 10 : Math.floor(width / 5), target: width < 60 ? 0 : Math.floor(width / 8) }
}

export function headingLine(width: number): Line {
  const { who, target } = widthsFor(width)
  return fitted(
    [
      ...column('  UTC', 11, 'quiet'),
      ...column('WHO', who + 1, 'quiet'),
      ...(target === 0 ? [] : column('TARGET', target + 1, 'quiet')),
      ...column('VERDICT', 10, 'quiet'),
      { text: 'WHAT', tone: 'quiet' },
    ],
    width,
  )
}

export function recordLine(record: AuditRecord, selected: boolean, width: number): Line {
  const { who, target } = widthsFor(width)
  const { word, tone, text } = describe(record)
  const person = visibleLine(record.agent === null ? record.user : `${record.user} (${record.agent})`)
  const line = fitted(
    [
      { text: selected ? '▸ ' : '  ' },
      ...column(timeOfDay(record.at), 9, 'quiet'),
      ...column(person, who),
      { text: ' ' },
      ...(target === 0 ? [] : [...column(visibleLine(record.target ?? ''), target), { text: ' ' }]),
      ...column(word, 9, tone),
      { text: ' ' },
      { text },
    ],
    width,
  )
  return selected ? [{ text: line.map((span) => span.text).join(''), tone: 'selected' }] : line
}
