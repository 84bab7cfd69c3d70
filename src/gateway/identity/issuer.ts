/**
 * The identity provider's published keys: found through its discovery document (OpenID Connect Discovery 1.0), fetched
 * when needed, fetched again when a token names a key that is not among them.
 */
import { createRemoteJWKSet, customFetch, type FetchImplementation, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'
import type { Clock } from '../../base/clock.ts'
import { reasonOf } from '../../base/errors.ts'
import { isLoopback } from '../../base/loopback.ts'
import { type HoopError, hoopError, isHoopError } from '../../contract/error-codes.ts'

export type Fetch = typeof fetch

export interface Issuer {
  keys(): Promise<JWTVerifyGetKey>
  /** Fetches what is needed to verify a token, if that was not done of late; throws `identity-unavailable`. */
  reach(): Promise<void>
}

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url() })

const timeoutMs = 5000
const discoveryLastsMs = 3_600_000
const keysLastMs = 600_000
/** Tokens with made-up key ids must not turn the gateway into a flood on the provider. */
const fetchAgainAfterMs = 10_000
/** After a failure, those who come meanwhile get the same answer instead of waiting for a timeout each. */
const failureLastsMs = 1000

export function createIssuer(url: string, fetchWith: Fetch, clock: Clock): Issuer {
  let found: { keys: ReturnType<typeof createRemoteJWKSet>; uri: string; until: number } | undefined
  let failed: { error: HoopError; until: number } | undefined
  let looking: Promise<NonNullable<typeof found>> | undefined

  async function discover(): Promise<NonNullable<typeof found>> {
    const document = discoverySchema.parse(await getJson(`${url.replace(/\/$/, '')}/.well-known/openid-configuration`))
    // RFC 8414 section 3.3: a document of somebody else must not be used.
    if (document.issuer !== url) throw new Error(`its discovery document calls itself ${document.issuer}`)
    requireSecure(document.jwks_uri)
    const until = clock.now() + discoveryLastsMs
    if (found?.uri === document.jwks_uri) return { ...found, until }
    const keys = createRemoteJWKSet(new URL(document.jwks_uri), {
      timeoutDuration: timeoutMs,
      cacheMaxAge: keysLastMs,
      cooldownDuration: fetchAgainAfterMs,
      [customFetch]: fetchWith as FetchImplementation,
    })
    return { keys, uri: document.jwks_uri, until }
  }

  async function getJson(address: string): Promise<unknown> {
    requireSecure(address)
    const answer = await fetchWith(address, {
      headers: { accept: 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (answer.status !== 200) throw new Error(`${address} answers ${answer.status}`)
    return answer.json()
  }

  async function current(): Promise<NonNullable<typeof found>> {
    if (found !== undefined && clock.now() < found.until) return found
    if (failed !== undefined && clock.now() < failed.until) throw failed.error
    looking ??= discover().finally(() => {
      looking = undefined
    })
    try {
      found = await looking
      failed = undefined
    } catch (error) {
      // Keys that were found once stay good while the document cannot be read; a token still has to fit them.
      if (found === undefined) {
        failed = { error: unavailable(url, error), until: clock.now() + failureLastsMs }
        throw failed.error
      }
      found = { ...found, until: clock.now() + failureLastsMs }
    }
    return found
  }

  return {
    keys: async () => (await current()).keys,
    async reach() {
      const { keys } = await current()
      if (keys.fresh) return
      try {
        await keys.reload()
      } catch (error) {
        throw unavailable(url, error)
      }
    },
  }
}

/** Over plain HTTP anybody on the way could put in keys of their own; only the machine itself is trusted that far. */
function requireSecure(address: string): void {
  const { protocol, hostname } = new URL(address)
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))) return
  throw new Error(`${address} is not https`)
}

function unavailable(issuer: string, error: unknown): HoopError {
  if (isHoopError(error)) return error
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return hoopError('identity-unavailable', `the identity provider ${issuer} cannot be used (${reasonOf(cause)})`, {
    cause: error,
    hint: 'try again in a moment; an administrator finds the reason at /readyz',
  })
}
