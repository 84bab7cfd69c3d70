/** What the tour checks its promises with. */
import { hoopError } from '../contract/error-codes.ts'
import type { Approval } from '../contract/api.ts'
import type { Member } from './member.ts'

/** Prints a sentence that was found to be true. */
export type Claim = (sentence: string) => Promise<void>

/** What is held has to show up and be decided within this; on a busy machine it takes a fraction of a second. */
export const patienceMs = 20_000

export function must(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw hoopError('internal', `the tour found a promise broken: ${otherwise}`)
}

/** The first pending approval that asks for this text, as a reviewer's screen gets to know of it. */
export async function pendingApproval(reviewer: Member, text: string): Promise<Approval> {
  const signal = AbortSignal.timeout(patienceMs)
  const fits = ({ state, commands }: Approval) =>
    state === 'pending' && commands.some(({ asked }) => asked.text.includes(text))
  for await (const event of reviewer.client.watchApprovals({ signal })) {
    const candidates = event.event === 'snapshot' ? event.approvals : event.event === 'changed' ? [event.approval] : []
    const found = candidates.find(fits)
    if (found !== undefined) return found
  }
  throw hoopError('internal', 'what is held did not reach its reviewer')
}
