/** The requests of a session over HTTP (Kubernetes' too), out of its records. Pure. */
import { sizeInWords } from '../../base/size.ts'
import { visibleLine } from '../../base/visible.ts'
import type { ProtocolName } from '../../contract/command.ts'
import type { AuditRecord, Decision, Outcome } from '../../contract/record.ts'
import { isRequest, type RequestText, readRequestText } from '../../contract/request-text.ts'
import { cut, type Meaning, type Style } from '../output/style.ts'
import { table } from '../output/table.ts'
import { inWords } from '../output/time.ts'

export interface AskedRequest {
  /** 1, 2, 3 … in the order asked: what `--curl` takes. */
  readonly number: number
  readonly command: string
  readonly at: string
  /** Since the session's first record. */
  readonly atMs: number
  readonly target: string
  readonly protocol: ProtocolName
  readonly verb: string
  readonly request: RequestText
  readonly decision: Decision
  readonly approval: string | null
  /** undefined: it is under way, or nobody knows. */
  readonly outcome: Outcome | undefined
  /** How long it waited for people. */
  readonly heldMs: number | undefined
}

export function requestsOf(records: readonly AuditRecord[], only?: string): readonly AskedRequest[] {
  const begun = Date.parse(records[0]?.at ?? '')
  const outcomes = new Map<string, Outcome>()
  const ends = new Map<string, string>()
  for (const record of records) {
    if (record.type === 'outcome') outcomes.set(record.command, record.outcome)
    else if (record.type === 'approval.end') ends.set(record.approval, record.at)
  }
  let number = 0
  const all = records.flatMap((record): AskedRequest[] => {
    if (record.type !== 'command' || !isRequest(record.asked)) return []
    const { command, at, target, asked, decision, approval } = record
    const end = approval === null ? undefined : ends.get(approval)
    number += 1
    return [
      {
        number,
        command,
        at,
        atMs: Math.max(0, Date.parse(at) - begun),
        target: target ?? '-',
        protocol: asked.protocol,
        verb: asked.verb,
        request: readRequestText(asked.text),
        decision,
        approval,
        outcome: outcomes.get(command),
        heldMs: end === undefined ? undefined : Math.max(0, Date.parse(end) - Date.parse(at)),
      },
    ]
  })
  return only === undefined ? all : all.filter(({ command }) => command === only)
}

/** Nothing but requests was asked. */
export function asksOnlyRequests(records: readonly AuditRecord[]): boolean {
  const commands = records.filter((record) => record.type === 'command')
  return commands.length > 0 && commands.every(({ asked }) => isRequest(asked))
}

const headings = ['#', 'after', 'target', 'method', 'path', 'status', 'sent', 'shown', 'took', '']
/** What is left of a narrow terminal for a path is never less. */
const narrowestPath = 24

export function requestsText(
  requests: readonly AskedRequest[],
  { style, columns }: { readonly style: Style; readonly columns: number | undefined },
): string {
  const path = columns === undefined ? undefined : Math.max(narrowestPath, columns - 80)
  const rows = requests.map(({ number, atMs, target, request, outcome, ...rest }) => {
    const asked = visibleLine(request.target)
    const meaning = meaningOf(outcome, rest.decision)
    return [
      String(number),
      style('quiet', `+${inWords(atMs)}`),
      style('name', visibleLine(target)),
      visibleLine(request.method),
      path === undefined ? asked : cut(asked, path),
      style(meaning, statusOf(outcome, rest.decision)),
      sizeOf(outcome?.bytesIn),
      sizeOf(outcome?.bytesOut),
      outcome?.durationMs === undefined ? '' : inWords(outcome.durationMs),
      notesOf({ outcome, ...rest }).join(', '),
    ]
  })
  return table(headings, rows, style)
}

function statusOf(outcome: Outcome | undefined, { verdict }: Decision): string {
  if (outcome?.answer !== undefined) return String(outcome.answer.status)
  const told = /^\d{3}\b/.exec(outcome?.summary ?? '')?.[0]
  return told ?? outcome?.status ?? (verdict === 'hold' ? 'held' : 'open')
}

function meaningOf(outcome: Outcome | undefined, { verdict }: Decision): Meaning {
  if (outcome === undefined) return 'waiting'
  if (outcome.status === 'done') return 'good'
  return outcome.status === 'failed' || verdict === 'deny' || outcome.status === 'refused' ? 'bad' : 'waiting'
}

/** `held 12 s by ask-ana`, `refused by no-deletes`, `masked`. */
function notesOf({
  outcome,
  decision,
  heldMs,
}: Pick<AskedRequest, 'outcome' | 'decision'> & { readonly heldMs?: number | undefined }): readonly string[] {
  const rule = visibleLine(decision.rule ?? 'no rule')
  const notes: string[] = []
  if (decision.verdict === 'hold') notes.push(`held${heldMs === undefined ? '' : ` ${inWords(heldMs)}`} by ${rule}`)
  if (decision.verdict === 'deny') notes.push(`refused by ${rule}`)
  if (outcome?.error?.code === 'withheld') notes.push('withheld')
  if (outcome?.masked === true) notes.push('masked')
  if (outcome?.recording !== undefined) notes.push('recorded')
  return notes
}

function sizeOf(bytes: number | undefined): string {
  return bytes === undefined ? '' : sizeInWords(bytes)
}
