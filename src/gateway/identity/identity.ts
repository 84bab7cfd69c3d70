/**
 * Who a bearer token speaks for. A token must be a JWT of the configured issuer, for this gateway's audience, signed with
 * a pinned algorithm by a key that the issuer publishes. What was verified is remembered by the token's hash, so that a
 * busy caller costs a lookup.
 */
import { errors, jwtVerify, type JWTPayload } from 'jose'
import { type Clock, systemClock } from '../../base/clock.ts'
import { reasonOf } from '../../base/errors.ts'
import { hoopError, isHoopError } from '../../contract/error-codes.ts'
import type { Me } from '../../contract/api.ts'
import type { Config } from '../config/schema.ts'
import type { Caller, Identity } from './caller.ts'
import { createIssuer, type Fetch, type Issuer } from './issuer.ts'
import { personIn } from './person.ts'
import { createVerified } from './verified.ts'

export type IdentitySettings = Pick<Config, 'identity' | 'roles'>

export interface CheckedIdentity extends Identity {
  /** Can tokens be verified now? Otherwise the sentence why not. */
  health(): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }>
}

export interface IdentityOptions {
  readonly fetch?: Fetch
  readonly clock?: Clock
}

const clockToleranceMs = 30_000
/** A token longer than this is no token; it is not even hashed. */
const longestToken = 16 * 1024

/** `settings` is asked at every call, so that a reloaded configuration counts from then on. */
export function createIdentity(settings: () => IdentitySettings, options: IdentityOptions = {}): CheckedIdentity {
  const clock = options.clock ?? systemClock
  const verified = createVerified(clock)
  let inForce: Config['identity'] | undefined
  let issuer: Issuer | undefined

  /** What was learnt under other settings must not be trusted under these. */
  function issuerNow(identity: Config['identity']): Issuer {
    const same = identity === inForce || JSON.stringify(identity) === JSON.stringify(inForce)
    if (issuer !== undefined && same) return issuer
    verified.clear()
    inForce = identity
    issuer = createIssuer(identity.issuer, options.fetch ?? fetch, clock)
    return issuer
  }

  return {
    async verify(token) {
      const { identity, roles } = settings()
      const keys = issuerNow(identity)
      if (token.length > longestToken) throw signIn('the token is too long to be one')
      let known = verified.get(token)
      if (known === undefined) {
        known = personIn(await check(token, identity, keys, clock), identity)
        // A reload meanwhile has other settings: what was verified under the old ones is not kept.
        if (keys === issuer) verified.set(token, known)
      }
      return { ...known, roles: rolesOf(known.groups, roles) }
    },
    async health() {
      const { identity } = settings()
      try {
        await issuerNow(identity).reach()
        return { ok: true }
      } catch (error) {
        return { ok: false, reason: reasonOf(error) }
      }
    },
  }
}

async function check(token: string, identity: Config['identity'], issuer: Issuer, clock: Clock): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, await issuer.keys(), {
      issuer: identity.issuer,
      audience: identity.audience,
      algorithms: [...identity.algorithms],
      clockTolerance: clockToleranceMs / 1000,
      currentDate: new Date(clock.now()),
      requiredClaims: ['exp', 'sub'],
    })
    return payload
  } catch (error) {
    throw translated(error)
  }
}

/** jose's codes for keys that could not be fetched or read; every other one speaks of the token. */
const issuersTrouble = ['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']

function translated(error: unknown): Error {
  if (isHoopError(error)) return error
  if (error instanceof errors.JWTExpired) return signIn('your sign-in has expired', error)
  if (error instanceof errors.JWTClaimValidationFailed)
    return signIn(`the token is not for this gateway (its "${error.claim}" does not fit)`, error)
  if (error instanceof errors.JOSEAlgNotAllowed)
    return signIn('the token is signed with an algorithm that is not accepted', error)
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed)
    return signIn('the token was not signed by the identity provider', error)
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid)
    return signIn('this is not a token that the gateway can read: it has to be a signed JWT', error)
  if (error instanceof errors.JOSEError && !issuersTrouble.includes(error.code))
    return signIn('the token cannot be verified', error)
  return hoopError('identity-unavailable', `the identity provider's keys cannot be fetched (${reasonOf(error)})`, {
    cause: error,
    hint: 'try again in a moment; an administrator finds the reason at /readyz',
  })
}

function signIn(message: string, cause?: unknown): Error {
  return hoopError('sign-in-needed', message, { hint: 'sign in with "hoop login"', cause })
}

function rolesOf(groups: readonly string[], roles: Config['roles']): Me['roles'] {
  const has = (role: Caller['roles'][number]) => roles[role].groups.some((group) => groups.includes(group))
  return (['admin', 'auditor'] as const).filter(has)
}
