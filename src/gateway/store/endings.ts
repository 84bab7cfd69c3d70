/** The record that ends what another one began, for when nobody else can write it any more. */
import type { AuditRecord, Outcome, RecordDraft } from '../../contract/record.ts'

/** `why` for whatever was open when a gateway died. */
export const withoutWarning = 'gateway stopped without warning'

/**
 * The end of what this record began; undefined if it began nothing. `command` is the status for a command: what is
 * known of it depends on why we have to end it.
 */
export function endingOf(
  begin: AuditRecord | RecordDraft,
  why: string,
  command: Outcome['status'],
): RecordDraft | undefined {
  const { session, user, subject, groups, agent, target, connection } = begin
  const base = { session, user, subject, groups, agent, target, connection }
  switch (begin.type) {
    case 'session.start':
      return { type: 'session.end', ...base, why }
    case 'connection.start':
      return { type: 'connection.end', ...base, why }
    case 'command':
      return { type: 'outcome', ...base, command: begin.command, outcome: { status: command } }
    default:
      return undefined
  }
}

/** The ends of all that these began among themselves and did not end: they were refused, so nothing of it exists. */
export function endingsOf(drafts: readonly RecordDraft[], why: string): readonly RecordDraft[] {
  const settled = new Set(drafts.map((draft) => (draft.type === 'outcome' ? draft.command : undefined)))
  const open = drafts.filter((draft) => draft.type !== 'command' || !settled.has(draft.command))
  const held = drafts.find((draft) => draft.type === 'command' && draft.approval !== null)
  const ends = open.map((draft) => endingOf(draft, why, 'refused')).filter((end) => end !== undefined)
  return held?.type === 'command' && held.approval !== null ? [...ends, approvalEndOf(held, held.approval, why)] : ends
}

/** The end of the approval that a held command opened. */
export function approvalEndOf(held: AuditRecord | RecordDraft, approval: string, why: string): RecordDraft {
  const { session, user, subject, groups, agent, target, connection } = held
  return {
    type: 'approval.end',
    session,
    user,
    subject,
    groups,
    agent,
    target,
    connection,
    approval,
    end: 'cancelled',
    why,
  }
}
