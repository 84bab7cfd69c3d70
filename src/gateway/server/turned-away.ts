/**
 * Tokens that were not good, for the audit. Whoever sends a thousand a second must not fill it: one record for an address
 * and minute, with how many there were since the one before.
 */
import type { Clock } from '../../base/clock.ts'
import { isHoopError } from '../../contract/error-codes.ts'
import type { Audit } from '../audit/audit.ts'
import { adminRecord } from '../config/live.ts'

export interface TurnedAway {
  /** `token`: whether one was sent at all; a visitor without one tried nothing. */
  note(address: string | undefined, token: string | undefined, error: unknown): void
}

const quietMs = 60_000
/** Beyond this many addresses in a minute they count as one. */
const most = 100

export function createTurnedAway(audit: Pick<Audit, 'note'>, clock: Clock): TurnedAway {
  const seen = new Map<string, { since: number; more: number }>()
  return {
    note(address = 'an unknown address', token, error) {
      if (token === undefined || !isHoopError(error) || error.code !== 'sign-in-needed') return
      const now = clock.now()
      const key = seen.has(address) || seen.size < most ? address : 'further addresses'
      const last = seen.get(key)
      if (last !== undefined && now - last.since < quietMs) {
        last.more += 1
        return
      }
      const more = last?.more ? ` (and ${last.more} more before)` : ''
      for (const [old, { since }] of seen) if (now - since >= quietMs) seen.delete(old)
      seen.set(key, { since: now, more: 0 })
      // Of the token nothing: what cannot be verified is not even a name.
      audit.note(adminRecord('login.refused', `${key}: ${error.message}${more}`))
    },
  }
}
