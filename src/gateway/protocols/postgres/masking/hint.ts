/** What the statement reader hands to the result masker: PostgreSQL's own tree of the statement. */
import type { Tree } from '../sql/statement.ts'

export interface MaskingHint {
  /** Absent when the text was not parsed: every value of its answer is then masked. */
  readonly tree: Tree | undefined
}
