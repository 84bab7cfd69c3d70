/**
 * What a gateway that died left open, ended: the records to add before anything else is written. Sessions stay open: their
 * client may be alive and come back, and sessions/ ends those that do not.
 */
import type { AuditRecord, RecordDraft } from '../../contract/record.ts'
import { approvalEndOf, endingOf, withoutWarning } from './endings.ts'
import { type Entry, entryOf } from './entry.ts'
import type { Trail } from './trail.ts'

/** Inner things first: commands, approvals, connections. */
export function recoveryOf(trail: Trail, now: number): readonly Entry[] {
  const open = trail.openThings()
  const undecided = new Set(open.approval.map(([id]) => id))
  const drafts: RecordDraft[] = []
  const add = (draft: RecordDraft | undefined): void => {
    if (draft !== undefined) drafts.push(draft)
  }

  for (const [, seq] of open.command) {
    const record = trail.record(seq)
    add(endingOf(record, withoutWarning, wasHeld(record, undecided) ? 'not-run' : 'unknown'))
  }
  for (const [id, seq] of open.approval) add(approvalEndOf(trail.record(seq), id, withoutWarning))
  for (const [, seq] of open.connection) add(endingOf(trail.record(seq), withoutWarning, 'unknown'))
  return drafts.map((draft) => entryOf(draft, now))
}

/** A held command is forwarded only after the end of its approval is on record: this one was not. */
function wasHeld(record: AuditRecord, undecided: ReadonlySet<string>): boolean {
  return record.type === 'command' && record.approval !== null && undecided.has(record.approval)
}
