/**
 * How a session begins: INIT and VERSION (draft-ietf-secsh-filexfer-02, section 4), and a question of the gateway's own for
 * the directory in which relative paths begin. What the client asks meanwhile waits.
 */
import { readFirstName, readReplyId, replyTypes, shownVersion, version } from './replies.ts'
import { readInitVersion, requestTypes } from './requests.ts'
import { type Frame, message, SftpBroken } from './wire.ts'

export interface Start {
  /** Has begun: both sides' frames are requests and replies from now on. */
  readonly isOver: boolean
  /** The target has not answered yet: the client's frames wait. */
  readonly isAsking: boolean
  /** Known once it is over; undefined where the target does not say. */
  readonly directory: string | undefined
  fromClient(frame: Frame): void
  fromTarget(frame: Frame): void
}

/** No request of the client is on its way yet: any number is free. */
const ownId = 0

export function createStart(toClient: (bytes: Buffer) => void, toTarget: (bytes: Buffer) => void): Start {
  let phase: 'new' | 'greeting' | 'asking' | 'over' = 'new'
  let directory: string | undefined

  return {
    get isOver() {
      return phase === 'over'
    },
    get isAsking() {
      return phase === 'greeting' || phase === 'asking'
    },
    get directory() {
      return directory
    },
    fromClient(frame) {
      if (phase !== 'new' || frame.type !== requestTypes.init)
        throw new SftpBroken('the client does not begin with INIT')
      // Whatever it offers, it is answered with 3, as sshd does; who knows only less ends it then.
      readInitVersion(frame)
      phase = 'greeting'
      toTarget(message(requestTypes.init, version))
    },
    fromTarget(frame) {
      if (phase === 'greeting' && frame.type === replyTypes.version) {
        phase = 'asking'
        toClient(shownVersion(frame))
        toTarget(message(requestTypes.realpath, ownId, '.'))
        return
      }
      if (phase !== 'asking' || readReplyId(frame) !== ownId)
        throw new SftpBroken('the target does not begin with VERSION')
      if (frame.type !== replyTypes.name && frame.type !== replyTypes.status)
        throw new SftpBroken('the target does not answer what it was asked')
      const answer = frame.type === replyTypes.name ? readFirstName(frame)?.toString() : undefined
      directory = answer?.startsWith('/') === true ? answer : undefined
      phase = 'over'
    },
  }
}
