/** A session's records, as what a viewer sees one after the other. Pure. */
import type { Parameter, ProtocolName } from '../contract/command.ts'
import type { AuditRecord, Decision, Outcome } from '../contract/record.ts'

interface At {
  /** Since the session's first record. */
  readonly atMs: number
  readonly at: string
  /** The record this was made of. */
  readonly seq: number
}

export type Scene = At &
  (
    | {
        readonly scene: 'start'
        readonly session: string
        readonly user: string
        readonly agent: string | null
        readonly targets: readonly string[]
        readonly reason: string | null
      }
    | { readonly scene: 'connect' | 'disconnect'; readonly target: string | null; readonly detail: string | null }
    | {
        readonly scene: 'asked'
        readonly command: string
        readonly target: string | null
        readonly protocol: ProtocolName
        readonly verb: string
        readonly text: string
        readonly parameters: readonly Parameter[]
        readonly decision: Decision
        readonly approval: string | null
      }
    | {
        readonly scene: 'answered'
        readonly command: string
        /** Set when something else came between question and answer. */
        readonly text: string | null
        readonly outcome: Outcome
      }
    | {
        readonly scene: 'decided'
        readonly approval: string
        readonly by: string
        readonly decision: 'approve' | 'deny'
        readonly reason: string | null
      }
    | { readonly scene: 'ended'; readonly approval: string; readonly end: string; readonly why: string }
    | { readonly scene: 'note'; readonly by: string; readonly text: string }
    | { readonly scene: 'end'; readonly why: string }
  )

export function scenesOf(records: readonly AuditRecord[]): readonly Scene[] {
  const first = Date.parse(records[0]?.at ?? '')
  const texts = new Map<string, string>()
  let lastAsked: string | undefined

  return records.map((record): Scene => {
    const when = { atMs: Math.max(0, Date.parse(record.at) - first), at: record.at, seq: record.seq }
    switch (record.type) {
      case 'session.start': {
        const { user, agent, targets, reason } = record
        return { ...when, scene: 'start', session: record.session ?? '', user, agent, targets, reason }
      }
      case 'session.end':
        return { ...when, scene: 'end', why: record.why }
      case 'connection.start':
        return { ...when, scene: 'connect', target: record.target, detail: record.detail }
      case 'connection.end':
        return { ...when, scene: 'disconnect', target: record.target, detail: record.why }
      case 'command': {
        const { command, target, asked, decision, approval } = record
        texts.set(command, asked.text)
        lastAsked = command
        const { protocol, verb, text, parameters } = asked
        return { ...when, scene: 'asked', command, target, protocol, verb, text, parameters, decision, approval }
      }
      case 'outcome': {
        const text = record.command === lastAsked ? null : (texts.get(record.command) ?? null)
        return { ...when, scene: 'answered', command: record.command, text, outcome: record.outcome }
      }
      case 'approval.decision': {
        const { approval, user: by, decision, reason } = record
        return { ...when, scene: 'decided', approval, by, decision, reason }
      }
      case 'approval.end':
        return { ...when, scene: 'ended', approval: record.approval, end: record.end, why: record.why }
      case 'admin':
        return { ...when, scene: 'note', by: record.user, text: `${record.action}: ${record.detail}` }
      default: {
        const never: never = record
        return never
      }
    }
  })
}
