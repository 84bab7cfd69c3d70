/** A record in one word and one line. */
import { visibleLine } from '../../../base/visible.ts'
import type { AuditRecord, Outcome } from '../../../contract/record.ts'
import { askedInWords, recordingInWords, transferInWords } from '../../../contract/told.ts'
import { excerpt } from '../../text/visible.ts'
import type { Tone } from '../../theme.ts'

export interface Description {
  /** `allow`, `failed`, `open` … at most eight letters. */
  readonly word: string
  readonly tone: Tone | undefined
  readonly text: string
}

export function describe(record: AuditRecord): Description {
  switch (record.type) {
    case 'session.start':
      return {
        word: 'session',
        tone: 'title',
        text: `opened for ${visibleLine(record.targets.join(', '))}${because(record.reason)}`,
      }
    case 'session.end':
      return { word: 'session', tone: 'title', text: `ended${because(record.why)}` }
    case 'connection.start':
      return { word: 'connect', tone: 'quiet', text: visibleLine(record.detail ?? '') }
    case 'connection.end':
      return { word: 'connect', tone: 'quiet', text: `closed${because(record.why)}` }
    case 'command': {
      const tone = { allow: 'good', deny: 'bad', hold: 'warning' } as const
      return {
        word: record.decision.verdict,
        tone: tone[record.decision.verdict],
        text: excerpt(askedInWords(record.asked)),
      }
    }
    case 'approval.decision':
      return {
        ...(record.decision === 'approve' ? { word: 'approve', tone: 'good' } : { word: 'denied', tone: 'bad' }),
        text: `${visibleLine(record.approval)}${because(record.reason)}`,
      }
    case 'approval.end':
      return {
        word: 'approval',
        tone: record.end === 'approved' ? 'good' : 'bad',
        text: `${visibleLine(record.approval)}: ${visibleLine(record.why)}`,
      }
    case 'outcome':
      return {
        word: record.outcome.status,
        tone: record.outcome.status === 'done' ? 'quiet' : 'bad',
        text: outcomeText(record.outcome),
      }
    case 'admin':
      return { word: 'admin', tone: 'title', text: `${visibleLine(record.action)} ${visibleLine(record.detail)}` }
    default:
      return record satisfies never
  }
}

/** What the filter's words are looked for in. The beginning of a statement of megabytes is enough to find it by. */
export function searchable(record: AuditRecord): string {
  const { user, agent, target, session, type } = record
  const own =
    record.type === 'command'
      ? [record.asked.text.slice(0, 65_536), record.decision.rule, record.command, record.approval]
      : []
  const id = 'command' in record ? record.command : 'approval' in record ? record.approval : ''
  const { word, text } = describe(record)
  return [user, agent, target, session, type, word, text, id, ...own].join('\n').toLowerCase()
}

export function outcomeText(outcome: Outcome): string {
  const { rows, durationMs, error, summary, masked, bytesOut, transfer, recording } = outcome
  const parts = [
    summary === undefined ? undefined : visibleLine(summary),
    rows === undefined ? undefined : `${rows} ${rows === 1 ? 'row' : 'rows'}`,
    transfer === undefined ? undefined : visibleLine(transferInWords(transfer)),
    bytesOut === undefined || bytesOut === 0 || transfer !== undefined ? undefined : `${bytesOut} bytes`,
    durationMs === undefined ? undefined : `${durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms`,
    masked === true ? 'masked' : undefined,
    recording === undefined ? undefined : recordingInWords(recording),
    error === undefined ? undefined : `${visibleLine(error.code)} ${visibleLine(error.message)}`,
  ]
  return parts.filter((part) => part !== undefined).join(', ')
}

function because(reason: string | null): string {
  return reason === null || reason === '' ? '' : `: ${visibleLine(reason)}`
}
