/** One record, whole: what it says in its own words first, its place in the chain last. */
import type { AuditRecord, Outcome, RecordOf } from '../../../contract/record.ts'
import { answerInWords, recordingInWords, transferInWords } from '../../../contract/told.ts'
import { entries, entry, heading, quiet } from '../../parts/labelled.ts'
import { statement, touchLines } from '../../parts/statement.ts'
import { type Block, linesBlock, stack } from '../../text/block.ts'
import { piecesOfAnswer } from '../../text/request.ts'
import type { Line } from '../../text/span.ts'
import { visibleSpans } from '../../text/visible.ts'
import { wrapText } from '../../text/wrap.ts'
import { describe, outcomeText } from './describe.ts'

const made = new WeakMap<AuditRecord, { readonly width: number; readonly block: Block }>()

export function recordBlock(record: AuditRecord, width: number): Block {
  const known = made.get(record)
  if (known?.width === width) return known.block
  const block = stack([who(record, width), what(record, width), chain(record, width)])
  made.set(record, { width, block })
  return block
}

function who(record: AuditRecord, width: number): Block {
  const line = (label: string, value: string | null): readonly Line[] =>
    value === null || value === '' ? [] : entry(label, visibleSpans(value), width)
  return linesBlock([
    ...line('record', `${record.seq} · ${record.type}`),
    ...line('at', record.at),
    ...line('user', record.user),
    ...line('groups', record.groups.join(', ')),
    ...line('agent', record.agent),
    ...line('target', record.target),
    ...line('session', record.session),
    ...line('connect', record.connection),
  ])
}

function what(record: AuditRecord, width: number): Block {
  switch (record.type) {
    case 'command': {
      const { asked, decision, command, approval } = record
      const { word, tone } = describe(record)
      return stack([
        linesBlock([
          ...entry('command', visibleSpans(command), width),
          ...entry(
            'verdict',
            [{ text: word, tone }, { text: ' by ' }, ...visibleSpans(decision.rule ?? 'no rule', 'warning')],
            width,
          ),
          ...entry('', visibleSpans(decision.reason), width),
          ...(approval === null ? [] : entry('approval', visibleSpans(approval), width)),
          ...entries('touches', touchLines(asked), width),
          ...entry('config', visibleSpans(decision.config, 'quiet'), width),
        ]),
        statement(asked, 0, 1, width),
      ])
    }
    case 'outcome':
      return stack([
        linesBlock([
          ...entry('command', visibleSpans(record.command), width),
          ...entry('outcome', [{ text: record.outcome.status, tone: describe(record).tone }], width),
          ...entry('', [{ text: outcomeText(record.outcome) }], width),
          ...kept(record, width),
        ]),
        sample(record.outcome, width),
        answer(record.outcome, width),
      ])
    case 'approval.decision':
    case 'approval.end':
    case 'session.start':
    case 'session.end':
    case 'connection.start':
    case 'connection.end':
    case 'admin': {
      const { word, tone, text } = describe(record)
      return stack([
        linesBlock(entry('what', [{ text: word, tone }, { text: ` ${text}` }], width)),
        linesBlock('digest' in record ? entry('digest', visibleSpans(record.digest, 'quiet'), width) : []),
        linesBlock(
          'impact' in record
            ? entries(
                'impact',
                (record.impact?.lines ?? []).map((line) => visibleSpans(line)),
                width,
              )
            : [],
        ),
      ])
    }
    default:
      return record satisfies never
  }
}

/** Hashes whole, for whoever compares them, and how to see what was shown. */
function kept({ session, command, outcome }: RecordOf<'outcome'>, width: number): readonly Line[] {
  const { transfer, recording } = outcome
  return [
    ...(transfer === undefined
      ? []
      : entry('transfer', visibleSpans(transferInWords(transfer, { whole: true })), width)),
    ...(recording === undefined
      ? []
      : [
          ...entry('kept', visibleSpans(recordingInWords(recording, { whole: true })), width),
          ...entry('', visibleSpans(`hoop replay ${session ?? ''} --command ${command}`, 'key'), width),
        ]),
  ]
}

/** What was shown of the answer, row by row. */
function sample({ result }: Outcome, width: number): Block {
  if (result === undefined) return linesBlock([])
  const rows = result.rows.map((row) => row.map((value) => value ?? 'NULL').join(' │ '))
  return stack([
    linesBlock([...heading('Answer'), visibleSpans(result.columns.join(' │ '), 'name')]),
    ...rows.map((row) => wrapText(row, width)),
    linesBlock(result.truncated ? [[quiet('… more rows were shown than are kept here')]] : []),
  ])
}

/** What was answered over HTTP, as far as it is kept. */
function answer({ answer, summary }: Outcome, width: number): Block {
  if (answer === undefined) return linesBlock([])
  const { status, headers, body } = answer
  const fields = headers.map(([name, value]) => `${name}: ${value}`)
  const text = [summary ?? String(status), ...fields].join('\n') + (body === undefined ? '' : `\n\n${body.text}`)
  return stack([
    linesBlock(heading('Answer')),
    wrapText(text, width, piecesOfAnswer(text)),
    linesBlock(body === undefined || !(body.truncated || body.base64) ? [] : [[quiet(`… ${answerInWords(answer)}`)]]),
  ])
}

function chain({ prev, hash }: AuditRecord, width: number): Block {
  return linesBlock([
    ...heading('Chain'),
    ...entry('previous', visibleSpans(prev, 'quiet'), width),
    ...entry('hash', visibleSpans(hash, 'quiet'), width),
  ])
}
