/** What the statement reader hands to the result masker: PostgreSQL's own tree of the statement. */
import type { ParseResult } from 'libpg-query'

/** A statement's node as libpg-query gives it: `{ SelectStmt: { … } }`. */
export type Tree = NonNullable<NonNullable<ParseResult['stmts']>[number]['stmt']>

export interface MaskingHint {
  /** Absent when the text was not parsed: every value of its answer is then masked. */
  readonly tree: Tree | undefined
}
