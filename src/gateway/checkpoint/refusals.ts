/** Every "no" the checkpoint can say, in words. Pure. */
import type { Refusal } from '../../contract/refusal.ts'
import type { Answer } from '../approvals/approvals.ts'
import type { Asked } from './asked.ts'

type Where = Pick<Refusal, 'session' | 'command' | 'approval'>

export function refusedByPolicy({ id, judgement }: Asked, session: string): Refusal {
  const { rule, reason } = judgement.decision
  const keeper = rule === null ? 'whoever keeps the rules' : `whoever keeps the rule "${rule}"`
  return {
    code: judgement.notUnderstood ? 'not-understood' : 'denied',
    message: `refused: ${reason}`,
    next: judgement.notUnderstood
      ? `write it so that it can be understood, or ask ${keeper}`
      : `trying again gives the same answer: do it another way, or ask ${keeper}`,
    rule: rule ?? undefined,
    session,
    command: id,
  }
}

export function refusedByAudit(where: Where, reason: string): Refusal {
  return {
    code: 'audit-unavailable',
    message: `refused: it cannot be written down, so it does not happen (${reason})`,
    next: 'nothing was forwarded; try again later',
    ...where,
  }
}

export function refusedByPeople({ end, why }: Answer, rule: string, where: Where): Refusal {
  const about = { rule, ...where }
  switch (end) {
    case 'denied':
      return {
        code: 'approval-denied',
        message: `refused: ${why}`,
        next: 'talk to the reviewer before asking again',
        ...about,
      }
    case 'expired':
      return {
        code: 'approval-expired',
        message: `refused: ${why}`,
        next: 'ask again when a reviewer is there',
        ...about,
      }
    case 'cancelled':
    case 'approved':
      return { code: 'cancelled', message: `not run: ${why}`, next: 'ask again if it is still wanted', ...about }
    default:
      return end satisfies never
  }
}

/** The reason of an abort is a Refusal where we aborted (killed, gateway stops); anything else is the client's doing. */
export function refusedByAbort(reason: unknown, where: Where): Refusal {
  if (isRefusal(reason)) return { ...reason, ...where }
  return {
    code: 'cancelled',
    message: 'not run: the client gave up',
    next: 'ask again if it is still wanted',
    ...where,
  }
}

export function refusedByDefect(where: Where): Refusal {
  return {
    code: 'internal',
    message: 'refused: hoop failed to judge it',
    next: 'nothing was forwarded; the gateway log says more',
    ...where,
  }
}

export function isRefusal(thing: unknown): thing is Refusal {
  return (
    typeof thing === 'object' &&
    thing !== null &&
    !(thing instanceof Error) &&
    'code' in thing &&
    'message' in thing &&
    'next' in thing
  )
}
