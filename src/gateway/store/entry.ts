/**
 * A record on its way to the disk: its text, built once, and the columns it is found by. Built from pieces that repeat: who
 * asks is the same for every record of a connection, what was understood of a statement is the same each time it runs.
 */
import { hoopError } from '../../contract/error-codes.ts'
import type { Action, Command } from '../../contract/command.ts'
import type { AuditRecord, Decision, RecordDraft } from '../../contract/record.ts'

export interface Entry {
  /** The members of the JSON object between `seq` and `prev`, without braces: `"at":"…","type":"command",…`. */
  readonly body: string
  /** A JSON array in the order of Columns. */
  readonly columns: string
}

/** What the table `records` keeps beside a line's number; `at` is milliseconds since 1970. */
export type Columns = readonly [
  at: number,
  type: RecordDraft['type'],
  session: string | null,
  target: string | null,
  user: string,
  connection: string | null,
  command: string | null,
  approval: string | null,
  verdict: string | null,
]

/** Well below what SQLite and V8 can hold in one value. A record that no store takes would block all behind it. */
const longestBody = 64 << 20

/** Throws `audit-unavailable` if it is too long to be written down. */
export function entryOf(draft: RecordDraft, at: number): Entry {
  const body = `"at":"${timestamp(at)}",${membersOf(draft)}`
  if (body.length > longestBody) throw tooLong(draft)
  return { body, columns: columnsText(draft, at) }
}

/** Of a record whose line is all there is of it. */
export function columnsOf(record: AuditRecord): Columns {
  return [Date.parse(record.at), record.type, ...placeOf(record), ...marksOf(record)]
}

/** The whole line but for its seal (contract/chain.ts). */
export function bodyOf({ body }: Entry, seq: number, prev: string): string {
  return `{"v":1,"seq":${seq},${body},"prev":"${prev}"}`
}

function membersOf(draft: RecordDraft): string {
  try {
    switch (draft.type) {
      case 'command': {
        const { command, asked, decision, approval } = draft
        return `${whoOf(draft).members},"type":"command","command":${quoted(command)},"asked":${askedText(asked)},"decision":${decisionText(decision)},"approval":${quoted(approval)}`
      }
      case 'outcome':
        return `${whoOf(draft).members},"type":"outcome","command":${quoted(draft.command)},"outcome":${JSON.stringify(draft.outcome)}`
      default:
        return JSON.stringify(draft).slice(1, -1)
    }
  } catch (cause) {
    // V8's limit for one string.
    throw cause instanceof RangeError ? tooLong(draft, cause) : cause
  }
}

function columnsText(draft: RecordDraft, at: number): string {
  const [command, approval, verdict] = marksOf(draft)
  return `[${at},"${draft.type}",${whoOf(draft).columns},${quoted(command)},${quoted(approval)},${quoted(verdict)}]`
}

type Place = Pick<RecordDraft, 'session' | 'target' | 'user' | 'connection'>

function placeOf({ session, target, user, connection }: Place) {
  return [session, target, user, connection] as const
}

function marksOf(record: AuditRecord | RecordDraft) {
  return [
    'command' in record ? record.command : null,
    'approval' in record ? record.approval : null,
    'decision' in record && typeof record.decision === 'object' ? record.decision.verdict : null,
  ] as const
}

interface Who {
  readonly of: Place & Pick<RecordDraft, 'subject' | 'agent'>
  readonly members: string
  readonly columns: string
}

/** By the list of groups, which a connection hands over with each of its records; everything else is compared. */
const whos = new WeakMap<readonly string[], Who>()

function whoOf(draft: RecordDraft): Who {
  const known = whos.get(draft.groups)
  if (known !== undefined && isSame(known.of, draft)) return known
  const { session, connection, target, user, subject, groups, agent } = draft
  const who: Who = {
    of: { session, connection, target, user, subject, agent },
    members: JSON.stringify({ session, connection, target, user, subject, groups, agent }).slice(1, -1),
    columns: JSON.stringify(placeOf(draft)).slice(1, -1),
  }
  whos.set(groups, who)
  return who
}

function isSame(of: Who['of'], draft: RecordDraft): boolean {
  return (
    of.session === draft.session &&
    of.connection === draft.connection &&
    of.target === draft.target &&
    of.user === draft.user &&
    of.subject === draft.subject &&
    of.agent === draft.agent
  )
}

interface Understood {
  readonly of: Command
  readonly text: string
}

/** By the list of actions, which a statement keeps however often it runs; everything else but its text is compared. */
const understood = new WeakMap<readonly Action[], Understood>()

function askedText(asked: Command): string {
  const { protocol, verb, objects, actions, facts, text, parameters } = asked
  let known = understood.get(actions)
  if (known === undefined || !isUnderstoodTheSame(known.of, asked)) {
    known = { of: asked, text: JSON.stringify({ protocol, verb, objects, actions, facts }).slice(0, -1) }
    understood.set(actions, known)
  }
  const values = parameters.length === 0 ? '[]' : JSON.stringify(parameters)
  return `${known.text},"text":${JSON.stringify(text)},"parameters":${values}}`
}

function isUnderstoodTheSame(of: Command, asked: Command): boolean {
  return (
    of.protocol === asked.protocol && of.verb === asked.verb && of.objects === asked.objects && of.facts === asked.facts
  )
}

const decisions = new WeakMap<Decision, string>()

function decisionText(decision: Decision): string {
  const known = decisions.get(decision)
  if (known !== undefined) return known
  const text = JSON.stringify(decision)
  decisions.set(decision, text)
  return text
}

function quoted(text: string | null): string {
  return text === null ? 'null' : JSON.stringify(text)
}

function tooLong({ type }: RecordDraft, cause?: RangeError): Error {
  return hoopError('audit-unavailable', `a record (${type}) of more than 64 MiB cannot be written down`, { cause })
}

let lastAt = Number.NaN
let lastText = ''

/** Many records share a millisecond. */
function timestamp(at: number): string {
  if (at !== lastAt) {
    lastText = new Date(at).toISOString()
    lastAt = at
  }
  return lastText
}
