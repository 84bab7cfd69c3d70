/**
 * Ends what still runs at the target because its channel must end. sshd hangs up on terminals only: a program without one that
 * neither reads nor writes would go on, so one that was killed is sent the signal as well. (sshd takes signals for anybody but root.)
 */
import type { ClientChannel } from 'ssh2'
import { sendSignal } from '../inside.ts'
import { refusalIn } from '../../terminal/refusals.ts'

/** `signal`: the channel's, aborted. A client that has gone ends no program, as without hoop. */
export function hangUp(far: ClientChannel, signal: AbortSignal): void {
  if (refusalIn(signal.reason) !== undefined) sendSignal(far, 'KILL')
  far.close()
}
