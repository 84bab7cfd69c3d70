/**
 * An audit record as one line for people: when, who, where, what, and what became of it. Everything that came from outside
 * goes through `visibleLine`: a statement can carry terminal escapes. Pure.
 */
import { sizeInWords } from '../../base/size.ts'
import { visibleLine } from '../../base/visible.ts'
import type { AuditRecord, Outcome, Verdict } from '../../contract/record.ts'
import { askedInWords, recordingInWords, transferInWords } from '../../contract/told.ts'
import { cut, type Meaning, type Style } from './style.ts'
import { clockTime, inWords } from './time.ts'

export interface LineForm {
  readonly style: Style
  readonly now: number
  /** Cells to keep to; undefined: as long as it takes. */
  readonly columns: number | undefined
}

export function recordLine(record: AuditRecord, { style, now, columns }: LineForm): string {
  const number = `#${record.seq}`.padEnd(6)
  const time = clockTime(record.at, now)
  const who = visibleLine(record.agent === null ? record.user : `${record.user} via ${record.agent}`)
  const where = visibleLine(record.target ?? '-')
  const { label, meaning, text } = contentOf(record)
  const head = `${number} ${time}  ${who.padEnd(18)}  ${where.padEnd(10)}  ${label.padEnd(9)}  `
  const body = visibleLine(text)
  const shown = columns === undefined ? body : cut(body, Math.max(20, columns - head.length))
  return `${style('quiet', `${number} ${time}`)}  ${style('name', who.padEnd(18))}  ${where.padEnd(10)}  ${style(meaning, label.padEnd(9))}  ${shown}`.trimEnd()
}

interface Content {
  readonly label: string
  readonly meaning: Meaning
  readonly text: string
}

export const meaningOf: Readonly<Record<Verdict, Meaning>> = { allow: 'good', deny: 'bad', hold: 'waiting' }

function contentOf(record: AuditRecord): Content {
  switch (record.type) {
    case 'session.start':
      return quiet('session', `${record.session} starts${record.reason === null ? '' : `: ${record.reason}`}`)
    case 'session.end':
      return quiet('session', `${record.session} ends: ${record.why}`)
    case 'connection.start':
      return quiet('connect', record.detail ?? '')
    case 'connection.end':
      return quiet('close', record.why)
    case 'command': {
      const { verdict, rule } = record.decision
      const note = verdict === 'allow' ? '' : ` (${rule === null ? 'no rule allows it' : `rule ${rule}`})`
      const approval = record.approval === null ? '' : ` [${record.approval}]`
      return { label: verdict, meaning: meaningOf[verdict], text: `${askedInWords(record.asked)}${note}${approval}` }
    }
    case 'outcome':
      return {
        label: record.outcome.status,
        meaning: outcomeMeaning(record.outcome),
        text: outcomeText(record.outcome),
      }
    case 'approval.decision': {
      const reason = record.reason === null ? '' : `: ${record.reason}`
      const meaning = record.decision === 'approve' ? 'good' : 'bad'
      return { label: record.decision, meaning, text: `${record.approval}${reason}` }
    }
    case 'approval.end': {
      const meaning = record.end === 'approved' ? 'good' : record.end === 'denied' ? 'bad' : 'quiet'
      return { label: record.end, meaning, text: `${record.approval}: ${record.why}` }
    }
    case 'admin':
      return quiet('admin', `${record.action}: ${record.detail}`)
    default: {
      const never: never = record
      return never
    }
  }
}

function quiet(label: string, text: string): Content {
  return { label, meaning: 'quiet', text }
}

export function outcomeMeaning({ status }: Outcome): Meaning {
  if (status === 'done') return 'quiet'
  return status === 'failed' || status === 'refused' ? 'bad' : 'waiting'
}

/** `DELETE 12, 12 rows, 4.2 ms` or `42P01: relation "x" does not exist`. Not yet made safe to print. */
export function outcomeText(outcome: Outcome): string {
  const parts: string[] = []
  if (outcome.error !== undefined) parts.push(`${outcome.error.code}: ${outcome.error.message}`)
  if (outcome.summary !== undefined) parts.push(outcome.summary)
  else if (outcome.rows !== undefined) parts.push(`${outcome.rows} ${outcome.rows === 1 ? 'row' : 'rows'}`)
  if (outcome.transfer !== undefined) parts.push(transferInWords(outcome.transfer))
  if (outcome.answer !== undefined) parts.push(sizeInWords(outcome.bytesOut ?? 0))
  if (outcome.masked) parts.push('masked')
  if (outcome.durationMs !== undefined) parts.push(inWords(outcome.durationMs))
  if (outcome.recording !== undefined) parts.push(recordingInWords(outcome.recording))
  return parts.join(', ')
}
