/** The answer of a fast-path function call: one value, of which nobody says where it comes from. */
import type { Command } from '../../../../contract/command.ts'
import type { Masks } from '../../../checkpoint.ts'
import { frame, int32 } from '../wire.ts'
import type { Sensitivity } from './sensitivity.ts'

export function maskFunctionResult(
  bytes: Buffer,
  masks: Masks,
  command: Command | undefined,
  sensitivity: Sensitivity | undefined,
): Buffer {
  if (masks.hasColumns && !isOwn(command, sensitivity)) return nothing
  if (!masks.suspects(bytes, 9, bytes.length)) return bytes
  const text = bytes.toString('latin1', 9)
  return masks.detect(text) === text ? bytes : nothing
}

const nothing = frame('V', int32(-1))

/** PostgreSQL's own function, and none that shows what tables hold. */
function isOwn(command: Command | undefined, sensitivity: Sensitivity | undefined): boolean {
  const functions = command?.facts.functions ?? []
  return (
    sensitivity !== undefined &&
    functions.length > 0 &&
    functions.every(
      (name) =>
        name.startsWith('pg_catalog.') && !sensitivity.ground.suspectsFunction(name.slice('pg_catalog.'.length)),
    )
  )
}
