/**
 * Signing in at the identity provider that the gateway names: OpenID discovery, the device flow (RFC 8628), refresh and
 * revocation, all through openid-client. Keeps nothing; tokens.ts does.
 */
import * as oidc from 'openid-client'
import type { WellKnown } from '../contract/api.ts'
import { hoopError, isHoopError, type HoopError } from '../contract/error-codes.ts'
import { reasonOf } from '../base/errors.ts'
import { isLoopback } from '../base/loopback.ts'

/** Where to sign in, as the gateway says. */
export type Issuer = Pick<WellKnown, 'issuer' | 'clientId' | 'audience' | 'scopes'>

export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string | null
  /** RFC 3339; null where the provider does not say. */
  readonly expires: string | null
  readonly received: string
}

/** What the person has to do, elsewhere. */
export interface DeviceCode {
  readonly code: string
  readonly url: string
  /** The same with the code inside, where the provider offers it. */
  readonly completeUrl: string | null
  readonly expires: string
}

export interface DeviceFlow {
  readonly signal: AbortSignal
  now(): number
  /** Called once, before waiting. */
  onCode(code: DeviceCode): void
}

export async function signInByDevice(issuer: Issuer, flow: DeviceFlow): Promise<Tokens> {
  const provider = await discover(issuer)
  if (provider.serverMetadata().device_authorization_endpoint === undefined)
    throw hoopError('sign-in-failed', `${issuer.issuer} offers no device flow`, {
      hint: 'switch on "device authorization" for the client there, or use HOOP_TOKEN',
    })
  const wanted = { ...audienceOf(issuer), scope: issuer.scopes.join(' ') }
  const device = await told(issuer, () => oidc.initiateDeviceAuthorization(provider, wanted))
  flow.onCode({
    code: device.user_code,
    url: device.verification_uri,
    completeUrl: device.verification_uri_complete ?? null,
    expires: new Date(flow.now() + device.expires_in * 1000).toISOString(),
  })
  const inTime = AbortSignal.timeout(device.expires_in * 1000)
  try {
    // Waits as long between two questions as the provider asks for, and longer after each slow_down (RFC 8628, 3.5).
    const answer = await oidc.pollDeviceAuthorizationGrant(provider, device, audienceOf(issuer), {
      signal: AbortSignal.any([inTime, flow.signal]),
    })
    return tokensOf(answer, flow.now())
  } catch (error) {
    if (flow.signal.aborted) throw hoopError('cancelled', 'signing in was given up', { cause: error })
    if (inTime.aborted || errorOf(error) === 'expired_token')
      throw hoopError('sign-in-failed', 'the code expired before it was confirmed', {
        hint: 'run "hoop login" again',
        cause: error,
      })
    throw failure(issuer, error)
  }
}

/** Rejects with `sign-in-needed` when the provider has ended this sign-in. */
export async function refresh(issuer: Issuer, refreshToken: string, now: () => number): Promise<Tokens> {
  const provider = await discover(issuer)
  try {
    const answer = await oidc.refreshTokenGrant(provider, refreshToken, audienceOf(issuer))
    const tokens = tokensOf(answer, now())
    // Without rotation the old one stays good (RFC 6749, 6).
    return tokens.refreshToken === null ? { ...tokens, refreshToken } : tokens
  } catch (error) {
    if (errorOf(error) === 'invalid_grant')
      throw hoopError('sign-in-needed', 'your sign-in has ended', { hint: 'sign in with "hoop login"', cause: error })
    throw failure(issuer, error)
  }
}

/** False where the provider offers no revocation. */
export async function revoke(issuer: Issuer, tokens: Tokens): Promise<boolean> {
  const provider = await discover(issuer)
  if (provider.serverMetadata().revocation_endpoint === undefined) return false
  await told(issuer, async () => {
    // The refresh token first: it is the one that lasts, and revoking it ends what came from it where the provider can.
    if (tokens.refreshToken !== null)
      await oidc.tokenRevocation(provider, tokens.refreshToken, { token_type_hint: 'refresh_token' })
    await oidc
      .tokenRevocation(provider, tokens.accessToken, { token_type_hint: 'access_token' })
      .catch(ignoreUnsupported)
  })
  return true
}

async function discover(issuer: Issuer): Promise<oidc.Configuration> {
  const url = URL.canParse(issuer.issuer) ? new URL(issuer.issuer) : undefined
  if (url === undefined)
    throw hoopError('identity-unavailable', `the gateway names "${issuer.issuer}" as issuer, which is no address`)
  return told(issuer, () =>
    oidc.discovery(url, issuer.clientId, undefined, oidc.None(), {
      timeout: 10,
      // Plain http never leaves this machine; anywhere else openid-client refuses it.
      execute: url.protocol === 'http:' && isLoopback(url.hostname) ? [oidc.allowInsecureRequests] : [],
    }),
  )
}

/** RFC 8707's `resource` takes only an absolute URI; Auth0 and its like read `audience`. Both ignore the other. */
function audienceOf({ audience }: Issuer): Record<string, string> {
  if (audience === null) return {}
  return /^(https?|urn):/.test(audience) ? { resource: audience, audience } : { audience }
}

function tokensOf(answer: oidc.TokenEndpointResponse, now: number): Tokens {
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token ?? null,
    expires: answer.expires_in === undefined ? null : new Date(now + answer.expires_in * 1000).toISOString(),
    received: new Date(now).toISOString(),
  }
}

async function told<T>(issuer: Issuer, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw failure(issuer, error)
  }
}

/** The provider's answer is a "no"; anything else is a provider that cannot be reached or trusted. */
function failure(issuer: Issuer, error: unknown): HoopError {
  if (isHoopError(error)) return error
  const code = errorOf(error)
  if (code === 'access_denied')
    return hoopError('sign-in-failed', 'the sign-in was denied', { hint: 'run "hoop login" again', cause: error })
  if (code !== undefined)
    return hoopError('sign-in-failed', `${issuer.issuer} did not sign you in (${descriptionOf(error) ?? code})`, {
      cause: error,
    })
  const reason = error instanceof Error && error.cause instanceof Error ? reasonOf(error.cause) : reasonOf(error)
  return hoopError('identity-unavailable', `cannot use the identity provider ${issuer.issuer} (${reason})`, {
    hint: 'is it reachable from here? try again in a moment',
    cause: error,
  })
}

function errorOf(error: unknown): string | undefined {
  return error instanceof oidc.ResponseBodyError ? error.error : undefined
}

function descriptionOf(error: unknown): string | undefined {
  return error instanceof oidc.ResponseBodyError ? error.error_description : undefined
}

function ignoreUnsupported(error: unknown): void {
  // RFC 7009, 2.2.1: a provider need not be able to revoke access tokens; they run out by themselves.
  if (errorOf(error) !== 'unsupported_token_type') throw error
}
