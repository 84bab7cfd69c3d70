/**
 * Access tokens by client credentials (RFC 6749, 4.4): asked for when one is needed, kept in memory for all connections,
 * asked for again before they expire. Nothing of them, nor of the client's secret, is in an error.
 */
import { createHash } from 'node:crypto'
import * as oidc from 'openid-client'
import type { Clock } from '../../../base/clock.ts'
import { isLoopback } from '../../../base/loopback.ts'
import type { Secret } from '../../../base/secret.ts'
import { hoopError } from '../../../contract/error-codes.ts'
import type { HttpTarget } from '../protocol.ts'

export interface TokenWish {
  readonly target: string
  readonly client: NonNullable<HttpTarget['oauth2']>
  readonly secret: Secret
}

export interface Tokens {
  of(wish: TokenWish): TokenSource
}

/** The tokens of one OAuth client. */
export interface TokenSource {
  /** The one that is kept, while it is good; undefined: it has to be fetched. */
  kept(): string | undefined
  fetch(): Promise<string>
  /** The target did not take this one. Resolves to whether there is another by now. */
  replace(refused: string): Promise<boolean>
}

interface Entry {
  readonly token: string
  readonly fetchedAt: number
  readonly goodUntil: number
}

/** Where the server does not say how long a token lives. */
const lifetimeMs = 300_000
/** A token must not expire on its way. */
const marginMs = 30_000
/** A target that says 401 for reasons of its own must not make every request a question to the token endpoint. */
const calmMs = 10_000

export function createTokens(clock: Clock, timeoutMs: number): Tokens {
  const entries = new Map<string, Entry>()
  /** One question at a time for each client. */
  const asking = new Map<string, Promise<string>>()

  function keep(key: string, { token, expiresInMs }: Granted): string {
    const now = clock.elapsed()
    for (const [other, { goodUntil }] of entries) if (goodUntil <= now) entries.delete(other)
    const goodForMs = Math.max(expiresInMs - marginMs, expiresInMs / 2)
    entries.set(key, { token, fetchedAt: now, goodUntil: now + goodForMs })
    return token
  }

  return {
    of(wish) {
      const key = keyOf(wish)
      function kept(): string | undefined {
        const entry = entries.get(key)
        return entry !== undefined && clock.elapsed() < entry.goodUntil ? entry.token : undefined
      }
      function fetch(): Promise<string> {
        const already = asking.get(key)
        if (already !== undefined) return already
        const question = ask(wish, timeoutMs)
          .then((granted) => keep(key, granted))
          .finally(() => asking.delete(key))
        asking.set(key, question)
        return question
      }
      async function replace(refused: string): Promise<boolean> {
        const entry = entries.get(key)
        if (entry !== undefined && entry.token === refused) {
          if (clock.elapsed() - entry.fetchedAt < calmMs) return false
          entries.delete(key)
        }
        return (kept() ?? (await fetch())) !== refused
      }
      return { kept, fetch, replace }
    },
  }
}

function keyOf({ client, secret }: TokenWish): string {
  const hash = createHash('sha256').update(secret.reveal()).digest('base64')
  return JSON.stringify([client.tokenUrl, client.clientId, client.scope, hash])
}

interface Granted {
  readonly token: string
  readonly expiresInMs: number
}

async function ask({ target, client, secret }: TokenWish, timeoutMs: number): Promise<Granted> {
  const url = new URL(client.tokenUrl)
  const config = new oidc.Configuration(
    { issuer: url.origin, token_endpoint: url.href },
    client.clientId,
    undefined,
    // The one way that every server has to support (RFC 6749, 2.3.1).
    oidc.ClientSecretBasic(secret.reveal()),
  )
  config.timeout = Math.ceil(timeoutMs / 1000)
  // Plain http never leaves this machine; anywhere else openid-client refuses it.
  if (isLoopback(url.hostname)) oidc.allowInsecureRequests(config)
  try {
    const answer = await oidc.clientCredentialsGrant(config, client.scope === undefined ? {} : { scope: client.scope })
    // How it has to be presented is said in its type (RFC 6749, 7.1).
    if (answer.token_type.toLowerCase() !== 'bearer') throw new Error('the token is not of the type Bearer')
    return { token: answer.access_token, expiresInMs: (answer.expires_in ?? lifetimeMs / 1000) * 1000 }
  } catch (error) {
    throw hoopError('target-refused', `no access token for target "${target}" (${whyNot(error)})`, {
      hint: 'check http.oauth2 and the secret of the target, and that the gateway can reach the token endpoint',
    })
  }
}

/** By codes alone: what a server says in words may repeat what it was sent. */
function whyNot(error: unknown): string {
  if (error instanceof oidc.ResponseBodyError)
    return /^[\w.-]{1,64}$/.test(error.error) ? `the token endpoint says ${error.error}` : 'the token endpoint says no'
  if (error instanceof oidc.WWWAuthenticateChallengeError) return 'the token endpoint does not know the client'
  const code = codeOf(error)
  return code === undefined ? 'the token endpoint did not give one' : `asking for it failed with ${code}`
}

function codeOf(error: unknown): string | undefined {
  // fetch's own error says nothing; the system's is its cause.
  for (let at = error; at instanceof Error; at = at.cause)
    if ('code' in at && typeof at.code === 'string' && /^[A-Z][A-Z_]+$/.test(at.code) && !at.code.startsWith('OAUTH_'))
      return at.code
  return undefined
}
