/**
 * A record on its way to the writing thread: its text, built once, and the columns it is found by. A tuple, because a
 * structured clone writes every key of every object it copies.
 */
import { hoopError } from '../../contract/error-codes.ts'
import type { RecordDraft } from '../../contract/record.ts'

export type Entry = readonly [
  /** The members of the JSON object between `seq` and `prev`, without braces: `"at":"…","type":"command",…`. */
  body: string,
  /** Milliseconds since 1970. */
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
  return [
    body,
    at,
    draft.type,
    draft.session,
    draft.target,
    draft.user,
    draft.connection,
    'command' in draft ? draft.command : null,
    'approval' in draft ? draft.approval : null,
    'decision' in draft && typeof draft.decision === 'object' ? draft.decision.verdict : null,
  ]
}

/** The whole line but for its seal (contract/chain.ts). */
export function bodyOf(entry: Entry, seq: number, prev: string): string {
  return `{"v":1,"seq":${seq},${entry[0]},"prev":"${prev}"}`
}

function membersOf(draft: RecordDraft): string {
  try {
    return JSON.stringify(draft).slice(1, -1)
  } catch (cause) {
    // V8's limit for one string.
    throw cause instanceof RangeError ? tooLong(draft, cause) : cause
  }
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
