/** What the audit says of a target's answer. Pure. */
import type { Outcome } from '../../../../contract/record.ts'
import { type Status, statusCodes } from './replies.ts'

/** The names of the draft, by their numbers. */
const names = [
  'SSH_FX_OK',
  'SSH_FX_EOF',
  'SSH_FX_NO_SUCH_FILE',
  'SSH_FX_PERMISSION_DENIED',
  'SSH_FX_FAILURE',
  'SSH_FX_BAD_MESSAGE',
  'SSH_FX_NO_CONNECTION',
  'SSH_FX_CONNECTION_LOST',
  'SSH_FX_OP_UNSUPPORTED',
]

export function failureOf({ code, message }: Status): NonNullable<Outcome['error']> {
  return { code: names[code] ?? `SSH_FX ${code}`, message }
}

export function outcomeOf(status: Status): Outcome {
  return status.code === statusCodes.ok ? { status: 'done' } : { status: 'failed', error: failureOf(status) }
}
