/** "No" in SFTP's words. OpenSSH's own client shows the code only, others the sentence; stderr has it for all. Pure. */
import type { Refusal } from '../../../../contract/refusal.ts'
import { statusCodes, statusReply } from './replies.ts'

export function refusalReply(id: number, refusal: Refusal, code: number = statusCodes.permissionDenied): Buffer {
  return statusReply(id, code, `${refusal.message}; next: ${refusal.next}`)
}

/** A file's bytes cannot be changed without breaking it: so what would have to be masked is not shown (docs/masking.md). */
export function withheld(path: string): Refusal {
  return {
    code: 'denied',
    message: `refused: ${path} is not shown as a file, because values that you may not see are masked on this target`,
    next: 'look at it with a command (cat, grep): what that shows is masked',
  }
}
