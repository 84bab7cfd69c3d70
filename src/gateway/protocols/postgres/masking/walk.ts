/** What the parts of lineage hand each other, so that expressions may hold queries and queries expressions. */
import type { MaskStyle } from '../../../checkpoint.ts'
import type { Ground, Output } from './ground.ts'
import type { Scope } from './scope.ts'

export interface Walk {
  readonly ground: Ground
  /** The output columns of a query inside a scope: SELECT, VALUES, or a writing statement with RETURNING. */
  query(node: unknown, around: Scope | undefined): readonly Output[]
  /** How the value of an expression must be masked. */
  expression(node: unknown, scope: Scope): MaskStyle | undefined
}
