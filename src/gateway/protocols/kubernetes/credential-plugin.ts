/**
 * What a credential plugin prints: an ExecCredential, https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 * Its words are never repeated in an error: they hold the credential. Pure.
 */
import { hoopError } from '../../../contract/error-codes.ts'
import { type Json, textAt } from './json.ts'

export interface PluginCredential {
  readonly token: string | undefined
  /** PEM of certificate and key. */
  readonly certificate: string | undefined
  /** Milliseconds since 1970; undefined: it does not expire, as far as anybody says. */
  readonly expires: number | undefined
}

export function readPluginCredential(target: string, text: string): PluginCredential {
  const value = parsed(text)
  if (textAt(value, 'kind') !== 'ExecCredential') throw unusable(target, 'it is no ExecCredential')
  const token = textAt(value, 'status', 'token') || undefined
  const cert = textAt(value, 'status', 'clientCertificateData')
  const key = textAt(value, 'status', 'clientKeyData')
  if (token === undefined && (cert === undefined || key === undefined))
    throw unusable(target, 'it holds neither a token nor a certificate with its key')
  const until = textAt(value, 'status', 'expirationTimestamp')
  const expires = until === undefined ? undefined : Date.parse(until)
  if (Number.isNaN(expires)) throw unusable(target, 'its expirationTimestamp is no time')
  return {
    token,
    certificate: cert === undefined || key === undefined ? undefined : `${cert}\n${key}`,
    expires,
  }
}

function parsed(text: string): Json | undefined {
  try {
    // JSON.parse gives Json by its definition.
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function unusable(target: string, why: string): Error {
  return hoopError('target-refused', `the credential plugin of target "${target}" printed nothing usable: ${why}`, {
    hint: 'kubernetes.login "exec-plugin" needs secret to be the exec:// reference of a plugin, as a kubeconfig names it',
  })
}
