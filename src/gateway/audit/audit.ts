/** The audit as the gateway uses it. What is behind it (a worker thread, SQLite) is its own business. */
import type { RecordFilter } from '../../contract/api.ts'
import type { RecordDraft } from '../../contract/record.ts'

export interface Audit {
  /**
   * Writes these, in this order and without another record between them, and resolves once they are durable.
   * Rejects with `audit-unavailable` if they could not be written: then nothing they speak of may happen.
   */
  append(drafts: readonly RecordDraft[]): Promise<void>
  /** Hands over what has happened already (an outcome). Returns at once; kept and retried while the store fails. */
  note(draft: RecordDraft): void
  /** The sealed lines that fit, oldest first, each exactly as stored. `tail` counts from the end. */
  read(filter: RecordFilter): AsyncIterable<string>
  /** Lines with a number greater than `filter.after` that fit: what is there, then what comes, without a gap or a repeat. */
  follow(filter: RecordFilter, signal: AbortSignal): AsyncIterable<string>
  /** Is it able to write? Otherwise the sentence why not. */
  health(): { readonly ok: true } | { readonly ok: false; readonly reason: string }
  /** Writes what was noted, then ends. */
  close(): Promise<void>
}
