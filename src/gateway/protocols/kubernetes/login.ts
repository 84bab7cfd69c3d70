/**
 * How the gateway logs in at a cluster: a bearer token, a client certificate, or what a credential plugin prints
 * (credential-plugin.ts). A token that has expired, or that the cluster does not take any more, is read anew under
 * connections that stay: token files are exchanged where they are, and plugins print short-lived ones.
 */
import type { Clock } from '../../../base/clock.ts'
import type { Secret } from '../../../base/secret.ts'
import { hoopError } from '../../../contract/error-codes.ts'
import { authorizationPass, clientCertificateOf, type Login, type Pass } from '../http/index.ts'
import type { Credential, Target } from '../protocol.ts'
import { readPluginCredential } from './credential-plugin.ts'

/** What a secret amounts to. */
interface Proof {
  /** undefined: the certificate alone says who it is. */
  readonly token: string | undefined
  readonly certificate: Login['certificate'] | undefined
  /** Milliseconds since 1970. */
  readonly expires: number | undefined
}

/** A secret that has not changed is not read again for each 401: it may be a program that is slow, or counts. */
const calmMs = 10_000
/** A token that is about to expire would do so on its way. */
const leewayMs = 10_000

/** Throws a HoopError `target-refused` for a credential that cannot be one. */
export function loginWith(clock: Clock, target: Target, credential: Credential): Login {
  let proof = proofOf(target, credential.secret)
  let pass = passOf(proof)
  const { certificate } = proof
  let readAt: number | undefined
  let reading: Promise<void> | undefined

  /** Requests that find out at the same time share one reading. */
  function readAgain(signal: AbortSignal): Promise<void> {
    readAt = clock.elapsed()
    reading ??= credential
      .renew(signal)
      .then((secret) => {
        const fresh = proofOf(target, secret)
        if (fresh.certificate?.cert !== certificate?.cert)
          throw hoopError('target-refused', `the client certificate of target "${target.name}" has changed`, {
            hint: 'connect again, so that the new one is used',
          })
        // The same token stays the same pass: whoever was refused with it need not try it again.
        if (fresh.token !== proof.token) pass = passOf(fresh)
        proof = fresh
      })
      .finally(() => {
        reading = undefined
      })
    return reading
  }

  const isExpired = () => proof.expires !== undefined && proof.expires - leewayMs <= clock.now()

  async function renewed(signal: AbortSignal): Promise<Pass> {
    await readAgain(signal)
    if (!isExpired()) return pass
    throw hoopError('target-refused', `the credential of target "${target.name}" has expired`, {
      hint: 'what prints it has to print one that is still valid',
    })
  }

  return {
    ...(certificate === undefined ? {} : { certificate }),
    current: (signal) => (isExpired() ? renewed(signal) : pass),
    renews: target.kubernetes?.login !== 'certificate',
    async renew(refused, signal) {
      if (refused !== pass) return true
      if (reading === undefined && readAt !== undefined && clock.elapsed() - readAt < calmMs) return false
      await readAgain(signal)
      return pass !== refused
    },
  }
}

function passOf({ token }: Proof): Pass {
  return token === undefined ? withoutToken : authorizationPass(`Bearer ${token}`, [token])
}

const nothingToErase: Pass['eraser'] = {
  active: false,
  fields: (fields) => fields,
  body: () => ({ push: (bytes) => bytes, end: () => Buffer.alloc(0) }),
}
const withoutToken: Pass = { sign: (head) => head, eraser: nothingToErase }

function proofOf(target: Target, secret: Secret | undefined): Proof {
  const login = target.kubernetes?.login ?? 'token'
  if (secret === undefined)
    throw hoopError('target-refused', `target "${target.name}" has no credential for its login "${login}"`, {
      hint: 'set secret for it',
    })
  const text = secret.reveal()
  switch (login) {
    case 'token':
      return { token: oneLine(target, text.trim()), certificate: undefined, expires: undefined }
    case 'certificate':
      return { token: undefined, certificate: clientCertificateOf(target.name, text), expires: undefined }
    case 'exec-plugin': {
      const { token, certificate, expires } = readPluginCredential(target.name, text)
      return {
        token: token === undefined ? undefined : oneLine(target, token),
        certificate: certificate === undefined ? undefined : clientCertificateOf(target.name, certificate),
        expires,
      }
    }
    default:
      return login satisfies never
  }
}

/** Line breaks in it would make it say more than a token. */
function oneLine(target: Target, token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw hoopError('target-refused', `the credential of target "${target.name}" is not a token`, {
    hint: 'a token is one word; for a certificate set kubernetes.login to "certificate"',
  })
}
