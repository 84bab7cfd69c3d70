/** Sessions that have ended, and why: what is still told to links that come late. */
import type { RecordOf } from '../../contract/record.ts'
import type { Refusal } from '../../contract/refusal.ts'
import type { Audit } from '../audit/audit.ts'

export interface Ends {
  /** From this moment on it must never come back, whatever the audit, which may be behind, says. */
  add(id: string, subject: string, refusal: Refusal): void
  /** Of those that ended here of late. */
  get(id: string): End | undefined
  /** Asks the audit where it is not known here; undefined: there is no such session, or it goes on. */
  find(id: string): Promise<End | undefined>
}

interface End {
  readonly subject: string
  readonly refusal: Refusal
}

/** The audit knows all of them by then. */
const most = 1_000

export function createEnds(audit: Pick<Audit, 'session' | 'read'>): Ends {
  const latest = new Map<string, End>()

  async function recorded(id: string): Promise<End | undefined> {
    const summary = await audit.session(id)
    if (summary === undefined || summary.ended === null) return undefined
    const { subject, why } = summary
    // Ours: the audit gives lines as they were sealed.
    for await (const line of audit.read({ session: id, type: 'admin' }))
      if ((JSON.parse(line) as RecordOf<'admin'>).action === 'session.kill')
        return { subject, refusal: killedBecause(why ?? 'killed') }
    return { subject, refusal: endedBecause(id, why ?? 'it is over') }
  }

  return {
    add(id, subject, refusal) {
      latest.set(id, { subject, refusal })
      for (const oldest of latest.keys()) if (latest.size > most) latest.delete(oldest)
    },
    get: (id) => latest.get(id),
    find: async (id) => latest.get(id) ?? (await recorded(id)),
  }
}

export function killedBecause(why: string): Refusal {
  return { code: 'killed', message: why, next: 'ask them before you go on' }
}

export function endedBecause(id: string, why: string): Refusal {
  return { code: 'cancelled', message: `session ${id} has ended: ${why}`, next: 'open a new session' }
}
