/** An answer of the gateway that is not the one hoped for, as an error of the table. */
import { apiErrorSchema } from '../contract/api.ts'
import { type ErrorCode, errorCodes, type HoopError, hoopError } from '../contract/error-codes.ts'

/** `place` is the gateway as a person knows it; `body` is what came with `status`, perhaps not from the gateway at all. */
export function refusedBy(place: string, status: number, body: string): HoopError {
  const parsed = apiErrorSchema.safeParse(jsonOf(body))
  if (parsed.success) {
    const { code, message, hint } = parsed.data.error
    return hoopError(isErrorCode(code) ? code : 'gateway-error', message, { hint: hint ?? undefined })
  }
  // A load balancer answers these when nobody is behind it.
  if (status === 502 || status === 503 || status === 504)
    return hoopError('gateway-unreachable', `cannot reach ${place} (something before it answered ${status})`)
  return hoopError('gateway-error', `${place} answered ${status}, which hoop does not understand`, {
    hint: 'is this address a hoop gateway? check it with "hoop status"',
  })
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
