/**
 * What a sign-in leaves on this machine, read back. By hand and not by a schema: `hoop proxy` reads it before every `ssh`,
 * and loading the schemas' library takes twice as long as starting Node.
 */
import type { Tokens } from './sign-in.ts'

/** What is known of a sign-in without its secrets. */
export interface SignIn {
  readonly issuer: string
  readonly clientId: string
  readonly audience: string | null
  readonly scopes: string[]
  readonly kept: 'keychain' | 'file'
  readonly user: string
}

export interface SignIns {
  readonly v: 1
  /** The gateway of the last sign-in: the one meant when none is named. */
  readonly current: string | null
  readonly gateways: Readonly<Record<string, SignIn>>
}

/** undefined for what is not one, in part or whole: then nobody is signed in. */
export function readSignIns(text: string): SignIns | undefined {
  const { v, current, gateways } = fieldsIn(parsed(text))
  if (v !== 1 || !isTextOrNull(current) || !isRecord(gateways)) return undefined
  const signIns = Object.entries(gateways).map(([name, value]) => [name, signInIn(value)] as const)
  if (!signIns.every((entry): entry is readonly [string, SignIn] => entry[1] !== undefined)) return undefined
  return { v, current, gateways: Object.fromEntries(signIns) }
}

export function readTokens(text: string): Tokens | undefined {
  const { accessToken, refreshToken, expires, received } = fieldsIn(parsed(text))
  if (typeof accessToken !== 'string' || typeof received !== 'string') return undefined
  if (!isTextOrNull(refreshToken) || !isTextOrNull(expires)) return undefined
  return { accessToken, refreshToken, expires, received }
}

function signInIn(value: unknown): SignIn | undefined {
  const { issuer, clientId, audience, scopes, kept, user } = fieldsIn(value)
  if (typeof issuer !== 'string' || typeof clientId !== 'string' || typeof user !== 'string') return undefined
  if (!isTextOrNull(audience) || !isTexts(scopes) || (kept !== 'keychain' && kept !== 'file')) return undefined
  return { issuer, clientId, audience, scopes, kept, user }
}

function fieldsIn(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {}
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
