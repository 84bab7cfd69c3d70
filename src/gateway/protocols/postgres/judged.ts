/** Proof that a Parse was read and that policy had no objection so far. Only `readAhead` makes one. */
import type { Checkpoint } from '../../checkpoint.ts'
import type { Statement } from './parts.ts'

declare const looked: unique symbol

export interface ReadAhead {
  readonly [looked]: true
}

/** undefined: one of them would be denied. */
export function readAhead(checkpoint: Checkpoint, statements: readonly Statement[]): ReadAhead | undefined {
  const denied = statements.some(({ command }) => checkpoint.preview(command).verdict === 'deny')
  // The brand has no content: it exists so that forwarding an unread Parse does not type-check.
  return denied ? undefined : ({} as ReadAhead)
}
