/** The claims of a verified token → the person. Pure. */
import type { JWTPayload } from 'jose'
import { hoopError } from '../../contract/error-codes.ts'
import type { Config } from '../config/schema.ts'
import type { Caller } from './caller.ts'

export type Verified = Omit<Caller, 'roles'>

export function personIn(claims: JWTPayload, settings: Config['identity']): Verified {
  const user = claims[settings.userClaim]
  if (typeof user !== 'string' || user === '')
    throw hoopError('sign-in-needed', `the token does not say who it is for: it has no claim "${settings.userClaim}"`, {
      hint: 'an administrator has to add it to access tokens, or name another as identity.userClaim',
    })
  // Whoever can choose an address at the provider could otherwise call themselves somebody else.
  if (settings.userClaim === 'email' && claims.email_verified === false)
    throw hoopError('sign-in-needed', `the address ${user} is not verified at the identity provider`)
  return {
    user,
    subject: claims.sub ?? '',
    groups: groupsIn(claims[settings.groupsClaim]),
    expires: (claims.exp ?? 0) * 1000,
  }
}

/** Providers send an array, or a single one as a bare string. Nothing else is a group. */
function groupsIn(claim: unknown): string[] {
  if (typeof claim === 'string') return claim === '' ? [] : [claim]
  if (!Array.isArray(claim)) return []
  return [...new Set(claim.filter((group): group is string => typeof group === 'string' && group !== ''))]
}
