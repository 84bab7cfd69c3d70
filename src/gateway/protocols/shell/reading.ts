/** What was read from a command line. */
import type { Action, Facts } from '../../../contract/command.ts'

/** Nobody alters it: judgements are remembered by the identity of its parts. */
export interface Reading {
  readonly actions: [Action, ...Action[]]
  /** Every object of every action, once each. */
  readonly objects: string[]
  readonly facts: Facts
}
