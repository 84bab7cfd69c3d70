/**
 * A record on its way to the writing thread: its text, built once, and the columns it is found by. A tuple, because a
 * structured clone writes every key of every object it copies.
 */
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

export function entryOf(draft: RecordDraft, at: number): Entry {
  return [
    `"at":"${timestamp(at)}",${JSON.stringify(draft).slice(1, -1)}`,
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
