import { type HoopError, hoopError } from '../../../../../contract/error-codes.ts'

/** There is no telling what comes behind it. */
export function broken(what: string, cause?: unknown): HoopError {
  return hoopError('protocol-error', `not SPDY/3.1 as Kubernetes speaks it: ${what}`, { cause })
}
