/** What went wrong on the way to a target, in one sentence. By codes and undici's own words: nothing that was sent is in it. Pure. */
import { reasonOf } from '../../../base/errors.ts'
import { isHoopError } from '../../../contract/error-codes.ts'
import type { Failure } from './exchange.ts'

/** How far it had come. */
export interface Reached {
  /** Something of the request may have been sent. */
  readonly sent: boolean
  /** The head of the answer was there. */
  readonly answered: boolean
}

export function failureOf(target: string, error: unknown, { sent, answered }: Reached): Failure {
  const base = { ...(sent ? {} : { unsent: true }), next: 'try again later, or tell whoever runs the gateway' }
  if (isHoopError(error) && error.code === 'target-refused')
    return { ...base, code: 'target-refused', message: error.message, next: error.hint ?? base.next }
  const code = codeOf(error)
  if (isTimeout(code))
    return {
      ...base,
      code: 'target-unreachable',
      message: `target "${target}" does not answer in time`,
      timedOut: true,
    }
  if (isAboutTls(code))
    return {
      ...base,
      code: 'target-refused',
      message: `no TLS with target "${target}" that can be trusted (${reasonOf(error)})`,
      next: 'check the certificate of the target, and tls.ca, tls.serverName and tls.mode of its settings',
    }
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED')
    return {
      ...base,
      code: 'internal',
      message: `the request cannot be sent to target "${target}" as it is (${reasonOf(error)})`,
      next: 'send it in another form',
    }
  if (isBadAnswer(error, code))
    return {
      ...base,
      code: 'target-refused',
      // Of llhttp's and undici's own words; what was sent is in none of them.
      message: `target "${target}" does not speak HTTP as it should (${reasonOf(error)})`,
    }
  if (!sent)
    return {
      ...base,
      code: 'target-unreachable',
      message: `cannot reach target "${target}" (${reasonOf(error)})`,
      next: 'check that the target runs and that the gateway can reach it',
    }
  const when = answered ? 'in the middle of its answer' : 'before it answered'
  return { ...base, code: 'target-unreachable', message: `target "${target}" ended the connection ${when}` }
}

/** The other side has closed, or the network has: it says nothing of the request. */
export function isLostConnection(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function isTimeout(code: string): boolean {
  return code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'ETIMEDOUT'
}

/** OpenSSL's names for what it does not like, and Node's for the rest (https://nodejs.org/api/tls.html#x509-certificate-error-codes). */
function isAboutTls(code: string): boolean {
  return (
    /^(ERR_SSL_|ERR_TLS_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/.test(code) ||
    ['EPROTO', 'INVALID_CA', 'INVALID_PURPOSE', 'HOSTNAME_MISMATCH', 'PATH_LENGTH_EXCEEDED'].includes(code)
  )
}

function isBadAnswer(error: unknown, code: string): boolean {
  const isParsers = error instanceof Error && error.name === 'HTTPParserError'
  return isParsers || code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
}
