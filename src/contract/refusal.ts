/**
 * A "no" as a value. Each protocol puts it in its own words (refusals.ts); `refusalDetail` is the part that is the same
 * everywhere, for programs: one line of JSON with a version.
 */
import type { ErrorCode } from './error-codes.ts'

export interface Refusal {
  readonly code: Extract<
    ErrorCode,
    | 'denied'
    | 'not-understood'
    | 'approval-denied'
    | 'approval-expired'
    | 'cancelled'
    | 'audit-unavailable'
    | 'not-allowed'
    | 'not-found'
    | 'killed'
    | 'target-unreachable'
    | 'target-refused'
    | 'internal'
  >
  /** One sentence: what was refused and by what. */
  readonly message: string
  /** What a person or an agent can do next. */
  readonly next: string
  readonly rule?: string | undefined
  readonly session?: string | undefined
  readonly command?: string | undefined
  readonly approval?: string | undefined
}

/** `{"v":1,"verdict":"denied","rule":…,"session":…,"command":…,"approval":…,"next":…}`; absent members are null. */
export function refusalDetail(refusal: Refusal): string {
  return JSON.stringify({
    v: 1,
    verdict: refusal.code,
    rule: refusal.rule ?? null,
    session: refusal.session ?? null,
    command: refusal.command ?? null,
    approval: refusal.approval ?? null,
    next: refusal.next,
  })
}
