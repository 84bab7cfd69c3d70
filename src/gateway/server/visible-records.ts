/**
 * Whose records may be read: admins and auditors read all, others what belongs to their own sessions, which includes the
 * decisions that reviewers made about them.
 */
import type { RecordFilter } from '../../contract/api.ts'
import type { AuditFilter } from '../audit/audit.ts'
import type { Caller } from '../identity/caller.ts'
import type { Sessions } from '../sessions/sessions.ts'

/** The filter that keeps to what the caller may see. Throws where it names a session that is not theirs. */
export async function visible(
  filter: RecordFilter,
  sessions: Pick<Sessions, 'get'>,
  caller: Caller,
): Promise<AuditFilter> {
  if (caller.roles.length > 0) return filter
  // Told plainly: an empty answer would look like a session in which nothing happened.
  if (filter.session !== undefined) await sessions.get(caller, filter.session)
  return { ...filter, owner: caller.subject }
}
