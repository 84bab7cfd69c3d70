/**
 * How the gateway logs in at an HTTP target: one way for each `http.login`. The caller never has the credential: it is put
 * into each request here, whatever the caller has put in its place is dropped, and it is erased from what comes back.
 */
import type { Secret } from '../../../base/secret.ts'
import { hoopError } from '../../../contract/error-codes.ts'
import type { Credential, Target } from '../protocol.ts'
import { type ClientCertificate, clientCertificateOf } from './client-certificate.ts'
import { withField, withParameter } from './credential-place.ts'
import { createEraser, type Eraser } from './erasing.ts'
import type { RequestHead } from './exchange.ts'
import type { Tokens } from './tokens.ts'

export interface Login {
  /** For mutual TLS. */
  readonly certificate?: ClientCertificate
  /** The credential as it is now. Rejects with a HoopError where there is none. */
  current(signal: AbortSignal): Pass | Promise<Pass>
  /** False: the credential stays what it is. */
  readonly renews: boolean
  /** The target has answered 401 to this one. Resolves to whether there is another by now. */
  renew(refused: Pass, signal: AbortSignal): Promise<boolean>
}

/** A credential, ready to be shown. */
export interface Pass {
  sign(head: RequestHead): RequestHead
  readonly eraser: Eraser
}

/** A secret that has not changed is not read again for each 401: it may be a program that is slow, or counts. */
const calmMs = 10_000

export interface LoginParts {
  readonly tokens: Tokens
  /** Monotonic, in milliseconds. */
  elapsed(): number
}

/** Throws a HoopError `target-refused` for a credential that cannot be one. */
export function loginWith(parts: LoginParts, target: Target, credential: Credential): Login {
  const { login, name } = target.http ?? { login: 'none' }
  switch (login) {
    case 'none':
      return unchanging(noPass)
    case 'certificate':
      return {
        ...unchanging(noPass),
        certificate: clientCertificateOf(target.name, secretOf(target, credential.secret).reveal()),
      }
    case 'bearer':
      return bySecret(parts, target, credential, (secret) => authorizationPass(`Bearer ${secret}`, [secret]))
    case 'basic':
      return bySecret(parts, target, credential, (secret) => basicPass(target.user, secret))
    case 'header': {
      const field = nameOf(target, name)
      return bySecret(parts, target, credential, (secret) => fieldPass(field, secret, [secret]))
    }
    case 'query': {
      const parameter = nameOf(target, name)
      return bySecret(parts, target, credential, (secret) => ({
        sign: (head) => withParameter(head, parameter, secret),
        eraser: createEraser([secret]),
      }))
    }
    case 'oauth2':
      return byToken(parts, target, credential)
    default:
      return login satisfies never
  }
}

const noPass: Pass = { sign: (head) => head, eraser: createEraser([]) }

function unchanging(pass: Pass): Login {
  return { current: () => pass, renews: false, renew: async () => false }
}

export function authorizationPass(value: string, secrets: readonly string[]): Pass {
  return fieldPass('authorization', value, secrets)
}

function basicPass(user: string, secret: string): Pass {
  const value = Buffer.from(`${user}:${secret}`, 'utf8').toString('base64')
  return authorizationPass(`Basic ${value}`, [value, secret])
}

function fieldPass(name: string, value: string, secrets: readonly string[]): Pass {
  // Bytes on the wire; a credential that is not ASCII goes as UTF-8.
  const bytes = Buffer.from(value, 'utf8').toString('latin1')
  return { sign: (head) => withField(head, name, bytes), eraser: createEraser(secrets) }
}

/** One that may be exchanged where it is kept while this connection lives. */
function bySecret(
  { elapsed }: LoginParts,
  target: Target,
  credential: Credential,
  passOf: (secret: string) => Pass,
): Login {
  const checked = (secret: Secret | undefined) => sendable(target, secretOf(target, secret).reveal())
  let value = checked(credential.secret)
  let pass = passOf(value)
  let readAt: number | undefined
  let reading: Promise<boolean> | undefined

  async function readAgain(signal: AbortSignal): Promise<boolean> {
    readAt = elapsed()
    const fresh = checked(await credential.renew(signal))
    if (fresh === value) return false
    value = fresh
    pass = passOf(fresh)
    return true
  }

  return {
    current: () => pass,
    renews: true,
    async renew(refused, signal) {
      if (refused !== pass) return true
      if (reading === undefined) {
        if (readAt !== undefined && elapsed() - readAt < calmMs) return false
        reading = readAgain(signal).finally(() => {
          reading = undefined
        })
      }
      return await reading
    },
  }
}

function byToken({ tokens }: LoginParts, target: Target, credential: Credential): Login {
  const client = target.http?.oauth2
  if (client === undefined)
    throw hoopError('target-refused', `target "${target.name}" does not say where its tokens come from`, {
      hint: 'set http.oauth2 for it',
    })
  const source = tokens.of({ target: target.name, client, secret: secretOf(target, credential.secret) })
  let last: { readonly token: string; readonly pass: Pass } | undefined
  const passFor = (token: string) => {
    if (last?.token !== token) last = { token, pass: authorizationPass(`Bearer ${sendable(target, token)}`, [token]) }
    return last.pass
  }
  return {
    current() {
      const kept = source.kept()
      return kept === undefined ? source.fetch().then(passFor) : passFor(kept)
    },
    renews: true,
    async renew(refused) {
      if (last === undefined || last.pass !== refused) return true
      return await source.replace(last.token)
    },
  }
}

function secretOf(target: Target, secret: Secret | undefined): Secret {
  if (secret !== undefined) return secret
  throw hoopError('target-refused', `target "${target.name}" has no credential for its login "${target.http?.login}"`, {
    hint: 'set secret for it',
  })
}

/** Line breaks in it would make it say more than a credential. */
function sendable(target: Target, secret: string): string {
  if (!/[\u0000-\u001f\u007f]/.test(secret)) return secret
  throw hoopError('target-refused', `the credential of target "${target.name}" is more than one line`, {
    hint: 'a token or password is one line; a certificate needs http.login "certificate"',
  })
}

function nameOf(target: Target, name: string | undefined): string {
  if (name !== undefined) return name
  throw hoopError('target-refused', `target "${target.name}" does not say where its credential goes`, {
    hint: 'set http.name for it',
  })
}
