/**
 * One SFTP session, without IO: frames of either side in, frames for either side out, and each command cleared before the
 * target sees it. Requests go in a line (line.ts); replies come in any order and pass at once.
 */
import type { Outcome } from '../../../../contract/record.ts'
import { unknownFileCommand } from '../file-command.ts'
import { type Case, Desk, type DeskParts } from './desk.ts'
import { Known } from './known.ts'
import { takeNaming } from './naming.ts'
import { replyTypes, shownLimits } from './replies.ts'
import { readRequest, type Request, requestTypes } from './requests.ts'
import { createStart, type Start } from './start.ts'
import { takeCopy, takeUsing } from './using.ts'
import { type Frame, SftpBroken } from './wire.ts'

export class Conversation {
  readonly #toClient: DeskParts['toClient']
  readonly #start: Start
  readonly #desk: Desk
  readonly #known = new Known()

  constructor(parts: DeskParts) {
    this.#toClient = parts.toClient
    this.#desk = new Desk(parts)
    this.#start = createStart(parts.toClient, (bytes) => parts.toTarget(bytes, 'says nothing of files'))
  }

  /** Another frame of the client may be taken. */
  get hasRoom(): boolean {
    return !this.#start.isAsking && this.#desk.hasRoom
  }

  /** All that was cleared has been forwarded, and nothing is being cleared any more. */
  get isDrained(): boolean {
    return this.#desk.isDrained
  }

  /** Throws SftpBroken. */
  fromClient(frame: Frame) {
    if (!this.#start.isOver) return this.#start.fromClient(frame)
    if (frame.type === requestTypes.init) throw new SftpBroken('the client greets twice')
    // What has to wait may wait long: it must not keep everything that arrived around it.
    const goesAtOnce = frame.type === requestTypes.write && this.#desk.isFree
    const own = goesAtOnce ? frame : { type: frame.type, bytes: Buffer.from(frame.bytes) }
    const { id, request } = readRequest(own)
    this.#take({ frame: own, id, taken: this.#desk.ledger.take(id) }, request)
  }

  /** Throws SftpBroken. */
  fromTarget(frame: Frame) {
    if (!this.#start.isOver) return this.#start.fromTarget(frame)
    this.#toClient(this.#desk.ledger.answer(frame))
  }

  /** Settles all that is open. Resolves when nothing is asked of the checkpoint any more. */
  close(ended: Outcome['status']): Promise<void> {
    return this.#desk.close(ended)
  }

  #take(on: Case, request: Request) {
    const { id, taken } = on
    switch (request.kind) {
      case 'unknown':
        return this.#desk.forbid(
          id,
          unknownFileCommand(`sftp ${request.name}`),
          'SFTP’s own version 3 and OpenSSH’s extensions are understood, and nothing else',
        )
      case 'limits':
        taken.expects = replyTypes.extended
        taken.answered = (reply, status) => (status === undefined ? shownLimits(reply) : reply.bytes)
        return this.#desk.pass(on, [], 'says nothing of files')
      case 'open':
      case 'ask':
      case 'setstat':
      case 'lsetstat':
      case 'opendir':
      case 'remove':
      case 'rmdir':
      case 'mkdir':
      case 'rename':
      case 'symlink':
      case 'hardlink':
      case 'names':
        return takeNaming({ desk: this.#desk, known: this.#known, start: this.#start.directory }, on, request)
      case 'copy':
        return takeCopy(this.#desk, on, request)
      default:
        return takeUsing(this.#desk, on, request)
    }
  }
}
