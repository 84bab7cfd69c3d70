/**
 * "No" as a Status, which kubectl prints as one sentence: `Error from server (Forbidden): refused: …`. Pure.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 */
import { errorCodes } from '../../../contract/error-codes.ts'
import { type Refusal, refusalDetail } from '../../../contract/refusal.ts'
import type { OwnAnswer } from '../http/index.ts'

/**
 * Where the table of the gateway's API says something that clients would act on: a 404 means that the object is gone, after
 * a 409 kubectl tries again.
 */
const statuses: Partial<Readonly<Record<Refusal['code'], number>>> = {
  killed: 503,
  'not-found': 403,
  cancelled: 403,
}

/** What clients of Kubernetes go by. */
const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  403: 'Forbidden',
  406: 'NotAcceptable',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  500: 'InternalError',
  502: 'ServiceUnavailable',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

export function statusOf(
  refusal: Refusal,
  status = statuses[refusal.code] ?? errorCodes[refusal.code].http,
): OwnAnswer {
  const about = refusal.command === undefined ? '' : ` (${refusal.command})`
  const body = JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `${refusal.message}; ${refusal.next}${about}`,
    reason: reasons[status] ?? 'Forbidden',
    // For programs: the members that every protocol's refusals have.
    details: { causes: [{ reason: 'hoop', message: refusalDetail(refusal) }] },
    code: status,
  })
  return { status, fields, body: Buffer.from(body) }
}

const fields: OwnAnswer['fields'] = [
  ['Content-Type', 'application/json'],
  ['Cache-Control', 'no-store'],
]

/**
 * While it finds out what a cluster can do, kubectl reads no Status of a server that fails: it prints text, and "unknown" for
 * everything else.
 */
export function inDiscovery(answer: OwnAnswer, { message, next }: Refusal): OwnAnswer {
  if (answer.status < 500) return answer
  return {
    ...answer,
    fields: [
      ['Content-Type', 'text/plain; charset=utf-8'],
      ['Cache-Control', 'no-store'],
    ],
    body: Buffer.from(`${message}; ${next}`),
  }
}
