/**
 * Every way hoop says no or fails, in one table: the exit status of the CLI, the HTTP status of the API, and what it
 * means. `hoop help exit-codes` and docs/errors.md are made from it.
 */
import { AppError, type AppErrorOptions } from '../base/errors.ts'

export const exitCodes = {
  done: 0,
  error: 1,
  usage: 2,
  denied: 3,
  signInNeeded: 4,
  approvalDenied: 5,
  approvalExpired: 6,
  auditUnavailable: 7,
  pending: 8,
} as const

export type ExitCodeName = keyof typeof exitCodes

interface ErrorKind {
  readonly exit: ExitCodeName
  /** Status of an API answer that carries this code. */
  readonly http: number
  readonly meaning: string
}

export const errorCodes = {
  usage: { exit: 'usage', http: 400, meaning: 'the command line or the request is not understood' },
  cancelled: { exit: 'usage', http: 499, meaning: 'given up by whoever asked, before it was done' },
  'config-invalid': { exit: 'error', http: 500, meaning: 'the configuration has mistakes' },
  'gateway-unreachable': { exit: 'error', http: 502, meaning: 'no answer from the gateway' },
  'gateway-error': { exit: 'error', http: 500, meaning: 'the gateway failed; it is at fault, not the caller' },
  'identity-unavailable': { exit: 'error', http: 503, meaning: 'the identity provider cannot be reached or trusted' },
  'sign-in-needed': { exit: 'signInNeeded', http: 401, meaning: 'no token, or one that is expired or not valid' },
  'sign-in-failed': { exit: 'signInNeeded', http: 401, meaning: 'the identity provider did not sign this person in' },
  'not-allowed': { exit: 'denied', http: 403, meaning: 'this person may not do that' },
  'not-found': { exit: 'error', http: 404, meaning: 'there is no such target, session, approval or record' },
  conflict: { exit: 'error', http: 409, meaning: 'already decided, ended or in use' },
  denied: { exit: 'denied', http: 403, meaning: 'a rule forbids the command, or none allows it' },
  'not-understood': {
    exit: 'denied',
    http: 403,
    meaning: 'what was asked cannot be understood, so it is not forwarded',
  },
  'approval-denied': { exit: 'approvalDenied', http: 403, meaning: 'a reviewer said no' },
  'approval-expired': { exit: 'approvalExpired', http: 403, meaning: 'nobody decided in time' },
  'approval-pending': { exit: 'pending', http: 202, meaning: 'waits for more reviewers' },
  'audit-unavailable': {
    exit: 'auditUnavailable',
    http: 503,
    meaning: 'it cannot be written down, so it does not happen',
  },
  'target-unreachable': { exit: 'error', http: 502, meaning: 'the target does not answer' },
  'target-refused': {
    exit: 'error',
    http: 502,
    meaning: 'the target answers and refuses the gateway (login, TLS, protocol)',
  },
  'protocol-error': { exit: 'error', http: 400, meaning: 'one side broke the rules of its protocol' },
  killed: { exit: 'error', http: 410, meaning: 'an admin ended the session' },
  'port-in-use': { exit: 'error', http: 409, meaning: 'the local port is taken' },
  internal: { exit: 'error', http: 500, meaning: 'a defect in hoop' },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errorCodes

export type HoopError = AppError<ErrorCode>

/** An error of the table: `throw hoopError('not-found', 'no target named "pg-prd"', { hint: 'see "hoop targets"' })`. */
export function hoopError(code: ErrorCode, message: string, options: AppErrorOptions = {}): HoopError {
  return new AppError(code, message, options)
}

/** Is this an error of the table? Answers by its code, not by its class, so it holds across package borders. */
export function isHoopError(thrown: unknown): thrown is HoopError {
  return (
    thrown instanceof Error &&
    'code' in thrown &&
    typeof thrown.code === 'string' &&
    Object.hasOwn(errorCodes, thrown.code)
  )
}

export function exitCodeOf(thrown: unknown): number {
  return isHoopError(thrown) ? exitCodes[errorCodes[thrown.code].exit] : exitCodes.error
}
