/** "No" and "wait" in PostgreSQL's words. Pure. */
import { type Refusal, refusalDetail } from '../../../contract/refusal.ts'
import type { Hold } from '../../checkpoint.ts'
import { errorResponse, noticeResponse } from './messages.ts'

/** insufficient_privilege; query_canceled for whoever gave up; connection failures and internal errors as PostgreSQL has them. */
const sqlStates: Readonly<Record<Refusal['code'], string>> = {
  denied: '42501',
  'not-understood': '42501',
  'approval-denied': '42501',
  'approval-expired': '42501',
  cancelled: '57014',
  'audit-unavailable': '42501',
  'not-allowed': '42501',
  'not-found': '42501',
  killed: '57P01',
  'target-unreachable': '08001',
  'target-refused': '08004',
  internal: 'XX000',
}

/** ERROR leaves the session usable; FATAL announces its end. */
export function refusalResponse(refusal: Refusal, severity: 'ERROR' | 'FATAL' = 'ERROR'): Buffer {
  return errorResponse({
    severity,
    sqlState: sqlStates[refusal.code],
    message: refusal.message,
    detail: refusalDetail(refusal),
    hint: refusal.next,
  })
}

export function holdNotice(hold: Hold): Buffer {
  return noticeResponse({
    severity: 'NOTICE',
    sqlState: '01000',
    message: hold.message,
    detail: JSON.stringify({
      v: 1,
      verdict: 'hold',
      rule: hold.rule,
      session: hold.session,
      approval: hold.approval,
      groups: hold.groups,
      expires: new Date(hold.expires).toISOString(),
    }),
    hint: hold.hint,
  })
}

/** Of what the gateway itself refuses, before or after policy was asked. */
export function notUnderstood(message: string): Refusal {
  return { code: 'not-understood', message, next: 'send it in a form that the gateway can judge' }
}

export function brokenProtocol(message: string): Buffer {
  return errorResponse({ severity: 'FATAL', sqlState: '08P01', message })
}
