/** What clients define with Parse, PREPARE and Bind and run later by its name. */
import type { Parameter } from '../../../contract/command.ts'
import type { Statement } from './parts.ts'
import type { Run } from './run.ts'

/** A prepared statement, from Parse or from SQL's PREPARE. */
export interface Prepared {
  readonly statements: readonly Statement[]
  /** Parameter types: those that the client gave, completed when the server describes them. */
  types: readonly number[]
}

export interface Portal {
  /** undefined: bound to a statement that we do not know. */
  readonly prepared: Prepared | undefined
  readonly name: Buffer
  readonly parameters: readonly Parameter[]
  readonly bytes: number
  /** Set once it was cleared: running it on is part of the same command. */
  run: Run | undefined
  /** Execute was forwarded. */
  started: boolean
  /**
   * The client has had it described, and the target has not failed that: Execute needs no description of ours. What a
   * portal answers is settled when it is bound.
   */
  described: boolean
  /** Its RowDescription, once that has arrived. */
  description?: Buffer
}
