/** Held commands, as the checkpoint asks and reviewers answer. */
import type { Approval, ApprovalEvent, Decide } from '../../contract/api.ts'
import type { Impact } from '../../contract/command.ts'
import type { Caller } from '../identity/caller.ts'

/** What the checkpoint asks for. The approval's id is made by the checkpoint, because the command records name it. */
export type Question = Pick<
  Approval,
  | 'id'
  | 'digest'
  | 'session'
  | 'user'
  | 'agent'
  | 'reason'
  | 'target'
  | 'protocol'
  | 'commands'
  | 'needs'
  | 'earlier'
  | 'confirm'
> & {
  /** The asker's OIDC subject: whoever has it may not decide. */
  readonly subject: string
  readonly groups: readonly string[]
  /** Milliseconds until it expires. */
  readonly expiresIn: number
}

export interface Answer {
  readonly end: 'approved' | 'denied' | 'expired' | 'cancelled'
  /** `approved by dba@demo`, `denied by dba@demo: not on a Friday`. */
  readonly why: string
}

export interface Approvals {
  /**
   * Asks, and waits for the end, which is written down durably before it is returned. An abort of the signal cancels.
   * Never rejects: if an end cannot be written down it is `cancelled`.
   */
  ask(question: Question, signal: AbortSignal, impact: Promise<Impact> | undefined): Promise<Answer>
  /** Those the caller may see (own, may decide, or admin and auditor), newest first. */
  list(caller: Caller, state: Approval['state'] | 'all'): readonly Approval[]
  get(caller: Caller, id: string): Approval
  /** Throws `not-allowed` (own command, not in a group), `conflict` (ended, decided already, digest differs). */
  decide(caller: Caller, id: string, wish: Decide): Promise<Approval>
  watch(caller: Caller, signal: AbortSignal): AsyncIterable<ApprovalEvent>
  /** Cancels all that wait. */
  close(): Promise<void>
}
