/**
 * Judge, write down, let through: the one door. What is forwarded to any target carries a permit, and permits come from
 * `clear` alone.
 */
import type { Command, Impact } from '../contract/command.ts'
import type { Decision, Outcome } from '../contract/record.ts'
import type { Refusal } from '../contract/refusal.ts'
import type { Masks } from './policy/masking.ts'

export type { ColumnName, Masks, MaskStyle } from './policy/masking.ts'

declare const issued: unique symbol

/** Leave to forward one command, once, and the duties that come with it. Only checkpoint.ts can make one. */
export interface Permit {
  readonly [issued]: true
  /** The command's id in the audit. */
  readonly command: string
  /** What must not be seen in the answer. */
  readonly masks: Masks
  /** How many rows of the answer, after masking, the outcome shall carry; 0 for none. */
  readonly sampleRows: number
}

export type Clearance =
  /** One permit for each command, in the order asked. */
  { readonly permits: readonly Permit[] } | { readonly refusal: Refusal }

/** A command that waits for people. */
export interface Hold {
  readonly approval: string
  readonly session: string
  readonly rule: string
  /** Sentence for the person who waits: who can approve, until when, and what to type. */
  readonly message: string
  readonly hint: string
  readonly groups: readonly string[]
  /** Milliseconds since 1970 at which it expires. */
  readonly expires: number
}

export interface Asking {
  /** Aborted when the client goes away or gives up: cancels a hold. */
  readonly signal?: AbortSignal
  /** Called at once when the commands are held and again every 30 s while they wait, so that the client can be told. */
  onHold?(hold: Hold): void
  /** What a held command would touch, asked of the target; called at most once, and only for a held batch. */
  impact?(command: Command, signal: AbortSignal): Promise<Impact>
}

export interface Checkpoint {
  /** What policy says of it now. Writes nothing and permits nothing: for telling a client early. */
  preview(command: Command): Decision
  /**
   * Decides on commands that stand or fall together, writes them down durably, waits for an approval if one is needed.
   * Never rejects: what cannot be judged or written down is a refusal.
   */
  clear(batch: readonly [Command, ...Command[]], asking?: Asking): Promise<Clearance>
  /** What became of a permitted command; once for every permit. Returns at once: the audit takes it from here. */
  settle(permit: Permit, outcome: Outcome): void
}
