/** The audit as the gateway uses it. What is behind it (worker threads, SQLite) is its own business. */
import type { RecordFilter } from '../../contract/api.ts'
import type { RecordDraft } from '../../contract/record.ts'

export interface Audit extends AuditQueries {
  /**
   * Writes these, in this order and without another record between them, and resolves once they are durable.
   * Rejects with `audit-unavailable` if they could not be written: then nothing they speak of may happen.
   */
  append(drafts: readonly RecordDraft[]): Promise<void>
  /** Hands over what has happened already (an outcome). Returns at once; kept and retried while the store fails. */
  note(draft: RecordDraft): void
  /** The sealed lines that fit, oldest first, each exactly as stored. `tail` counts from the end. */
  read(filter: AuditFilter): AsyncIterable<string>
  /** Lines with a number greater than `filter.after` that fit: what is there, then what comes, without a gap or a repeat. */
  follow(filter: AuditFilter, signal: AbortSignal): AsyncIterable<string>
  /** Is it able to write? Otherwise the sentence why not. */
  health(): { readonly ok: true } | { readonly ok: false; readonly reason: string }
  /** Writes what was noted, then ends. */
  close(): Promise<void>
}

/**
 * `owner`: only records of sessions that this OIDC subject opened, whoever wrote them: a reviewer's decision about a
 * session belongs to it. Records of no session belong to nobody.
 */
export type AuditFilter = RecordFilter & { readonly owner?: string }

/** What can be asked besides the lines themselves. Answers come from a reading thread; they never hold up writing. */
export interface AuditQueries {
  /** The newest `limit` sessions that fit, newest last. */
  sessions(wish: SessionsWish): Promise<readonly SessionSummary[]>
  session(id: string): Promise<SessionSummary | undefined>
  /** Walks the chain from record `from` (1 by default) to the newest durable one. */
  verify(from?: number): Promise<Verification>
}

interface SessionsWish {
  /** Only those that have not ended. */
  readonly live: boolean
  readonly limit: number
  readonly user?: string
}

/** A session as the audit knows it; how many connections are open now is for sessions/ to add. */
export interface SessionSummary {
  readonly id: string
  readonly user: string
  readonly subject: string
  readonly agent: string | null
  readonly reason: string | null
  readonly targets: readonly string[]
  /** RFC 3339. */
  readonly started: string
  readonly ended: string | null
  readonly why: string | null
  readonly commands: number
}

type Verification =
  /** `hash` is that of the newest record: keep it elsewhere, and a shortened trail shows too. */
  | { readonly ok: true; readonly records: number; readonly last: number; readonly hash: string }
  | { readonly ok: false; readonly seq: number; readonly flaw: string }
