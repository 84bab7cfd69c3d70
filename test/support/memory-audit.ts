/**
 * An audit that keeps what it is given in memory and fails when told to. For tests of what happens around the audit:
 * a real store cannot be made to fail at one exact append. It answers only the part of the interface that writes.
 */
import { hoopError } from '../../src/contract/error-codes.ts'
import type { RecordDraft, RecordType } from '../../src/contract/record.ts'
import type { Audit } from '../../src/gateway/audit/audit.ts'

export interface MemoryAudit extends Pick<Audit, 'append' | 'note'> {
  readonly records: RecordDraft[]
  of<T extends RecordType>(type: T): Extract<RecordDraft, { type: T }>[]
  /** Every append fails from now on that this is true of; noting goes on. */
  failing: (drafts: readonly RecordDraft[]) => boolean
  /** Awaited before an append is durable. */
  slow: () => Promise<void>
}

export function memoryAudit(): MemoryAudit {
  const records: RecordDraft[] = []
  const audit: MemoryAudit = {
    records,
    of: <T extends RecordType>(type: T) =>
      records.filter((record): record is Extract<RecordDraft, { type: T }> => record.type === type),
    failing: () => false,
    slow: () => Promise.resolve(),
    async append(drafts) {
      await audit.slow()
      if (audit.failing(drafts)) throw hoopError('audit-unavailable', 'the disk is full')
      records.push(...drafts)
    },
    note(draft) {
      records.push(draft)
    },
  }
  return audit
}
