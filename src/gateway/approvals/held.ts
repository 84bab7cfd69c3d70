/** One approval's state and the rules of deciding: who may, who is still needed. Pure; create-approvals.ts owns time and storage. */
import type { Approval, Decide } from '../../contract/api.ts'
import { type HoopError, hoopError } from '../../contract/error-codes.ts'
import type { Person } from '../../contract/record.ts'
import type { Caller } from '../identity/caller.ts'
import type { Question } from './approvals.ts'

export type End = Exclude<Approval['state'], 'pending'>

interface GivenDecision {
  readonly person: Person
  readonly decision: Decide['decision']
  readonly reason: string | null
  readonly at: string
}

/** An approval as the gateway keeps it; `approvalFor` makes the view that one caller gets. */
export interface Held {
  readonly question: Question
  readonly created: number
  readonly expires: number
  readonly decisions: readonly GivenDecision[]
  readonly impact: Approval['impact']
  readonly ended: { readonly state: End; readonly at: string } | undefined
}

/** Own ones, those the caller may decide about, and all for admins and auditors. */
export function maySee(held: Held, caller: Caller): boolean {
  return caller.roles.length > 0 || isAsker(held, caller) || isReviewer(held, caller)
}

/** Why this caller may not decide now; undefined: may. */
export function hindrance(held: Held, caller: Caller): HoopError | undefined {
  const { id } = held.question
  if (isAsker(held, caller)) return hoopError('not-allowed', 'nobody approves or denies their own command')
  if (!isReviewer(held, caller))
    return hoopError('not-allowed', `${id} is for ${groupsOf(held).join(', ')} to decide, and you are in none of these`)
  if (held.ended !== undefined) return hoopError('conflict', `${id} is ${held.ended.state} already`)
  if (held.decisions.some(({ person }) => person.subject === caller.subject))
    return hoopError('conflict', `you have decided on ${id} already; another person has to decide too`)
  return undefined
}

/** All needs met: for each, enough distinct people of its groups. One person may count for several needs. */
export function isGranted(held: Held): boolean {
  const yes = held.decisions.filter(({ decision }) => decision === 'approve')
  return held.question.needs.every(({ groups, count }) => {
    const people = yes.filter(({ person }) => person.groups.some((group) => groups.includes(group)))
    return new Set(people.map(({ person }) => person.subject)).size >= count
  })
}

function groupsOf(held: Held): readonly string[] {
  return [...new Set(held.question.needs.flatMap(({ groups }) => groups))]
}

export function approvalFor(held: Held, caller: Caller): Approval {
  const { subject: _, groups: __, expiresIn: ___, ...question } = held.question
  return {
    ...question,
    state: held.ended?.state ?? 'pending',
    decisions: held.decisions.map(({ person, decision, reason, at }) => ({ user: person.user, decision, reason, at })),
    impact: held.impact,
    created: new Date(held.created).toISOString(),
    expires: new Date(held.expires).toISOString(),
    ended: held.ended?.at ?? null,
    whyNot: hindrance(held, caller)?.message ?? null,
  }
}

/** By subject, and by name too: one person must not pass as two because a token was issued to another client. */
function isAsker(held: Held, caller: Caller): boolean {
  return caller.subject === held.question.subject || caller.user === held.question.user
}

function isReviewer(held: Held, caller: Caller): boolean {
  return groupsOf(held).some((group) => caller.groups.includes(group))
}
