/** What reading a statement needs besides its tree; statements hold statements, so reading one is handed along. */
import type { Parser } from './parse.ts'
import type { Reading } from './reading.ts'
import type { Scope } from './walk.ts'

export interface Context {
  readonly parser: Parser
  /** Names that are variables in what is read now. */
  readonly scope: Scope
  fresh(): Reading
  statement(tree: unknown, out: Reading, context: Context): void
}
