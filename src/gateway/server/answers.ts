/** Whatever goes wrong, as the one form in which the API says so. */
import { STATUS_CODES } from 'node:http'
import { reasonOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { ApiError } from '../../contract/api.ts'
import { type ErrorCode, errorCodes, isHoopError } from '../../contract/error-codes.ts'

export interface Answer {
  readonly status: number
  readonly body: ApiError
  readonly headers: Readonly<Record<string, string>>
}

export function answer(
  code: ErrorCode,
  message: string,
  hint?: string,
  status: number = errorCodes[code].http,
): Answer {
  return {
    status,
    body: { error: { code, message, hint: hint ?? null } },
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      // RFC 9110 section 11.6.1: a 401 has to name the scheme.
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    },
  }
}

/** An error that is not of the table is a defect of ours: the log gets it, the caller does not. */
export function answerTo(thrown: unknown, log: Log): Answer {
  if (isHoopError(thrown)) {
    if (errorCodes[thrown.code].http >= 500) log.warn({ code: thrown.code }, thrown.message)
    return answer(thrown.code, thrown.message, thrown.hint)
  }
  const status = statusOf(thrown)
  if (status === 413) return answer('usage', 'the request is too large', undefined, 413)
  if (status === 415) return answer('usage', 'the body has to be JSON', 'send content-type: application/json', 415)
  if (status !== undefined && status >= 400 && status < 500) return answer('usage', reasonOf(thrown), undefined, status)
  log.error({ err: thrown }, 'a request failed for a reason that is ours')
  return answer('internal', 'the gateway failed; its log says why')
}

/** The answer as the bytes of an HTTP/1.1 response, for sockets that have left the HTTP server. */
export function rawResponse({ status, body, headers }: Answer): string {
  const text = JSON.stringify(body)
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(text)), connection: 'close' })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n${head}\r\n${text}`
}

/** The status that fastify gave an error of its own. */
function statusOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return undefined
  return typeof thrown.statusCode === 'number' ? thrown.statusCode : undefined
}
