/** What is asked and not answered, by number, and what is open, by handle: each with what it owes the audit. */
import type { Outcome } from '../../../../contract/record.ts'
import type { Checkpoint, Permit } from '../../../checkpoint.ts'
import { type Handle, longestHandle } from './handles.ts'
import { readReplyId, readStatus, replyTypes, type Status } from './replies.ts'
import { type Frame, SftpBroken } from './wire.ts'

/** A request until it is answered, by the target or by the gateway. */
export interface Taken {
  /** The target has it. */
  isSent: boolean
  /** What a reply may be, beside a STATUS. */
  expects: number | undefined
  /** Of a command that waits for its answer. */
  permit: Permit | undefined
  /** Notes what the reply says, and gives what the client shall see of it. */
  answered: (reply: Frame, status: Status | undefined) => Buffer
}

export class Ledger {
  readonly #settle: Checkpoint['settle']
  readonly #taken = new Map<number, Taken>()
  readonly #named = new Map<string, Handle>()
  /** Closed ones too, as long as an answer about them is out. */
  readonly #open = new Set<Handle>()

  constructor(settle: Checkpoint['settle']) {
    this.#settle = settle
  }

  /** Requests without an answer. */
  get size(): number {
    return this.#taken.size
  }

  take(id: number): Taken {
    if (this.#taken.has(id)) throw new SftpBroken(`the client gives the number ${id} to two requests at once`)
    const taken: Taken = { isSent: false, expects: undefined, permit: undefined, answered: ({ bytes }) => bytes }
    this.#taken.set(id, taken)
    return taken
  }

  /** The gateway answers it. */
  drop(id: number): void {
    this.#taken.delete(id)
  }

  /** What the client shall see of a reply. Throws SftpBroken for one that answers nothing. */
  answer(frame: Frame): Buffer {
    const id = readReplyId(frame)
    const taken = this.#taken.get(id)
    if (taken?.isSent !== true) throw new SftpBroken('the target answers what it was not asked')
    const isStatus = frame.type === replyTypes.status
    if (!isStatus && frame.type !== taken.expects) throw new SftpBroken('the target answers something else')
    this.#taken.delete(id)
    return taken.answered(frame, isStatus ? readStatus(frame) : undefined)
  }

  /** Throws SftpBroken where the target gives a handle twice: nobody could tell then whose bytes are whose. */
  open(name: Buffer, handle: Handle): void {
    const key = name.toString('latin1')
    if (name.length > longestHandle) throw new SftpBroken(`the target gives a handle of ${name.length} bytes`)
    if (this.#named.has(key)) throw new SftpBroken('the target gives one handle twice')
    this.#named.set(key, handle)
    this.#open.add(handle)
  }

  find(name: Buffer): Handle | undefined {
    return this.#named.get(name.toString('latin1'))
  }

  /** Its name means nothing any more. */
  forget(name: Buffer): void {
    this.#named.delete(name.toString('latin1'))
  }

  /** Once it is closed and nothing about it is unanswered. */
  settleIfDone(handle: Handle): void {
    if (handle.isClosed && handle.asked === 0) this.#end(handle, 'done')
  }

  /** The session is over: what has no answer never gets one. */
  close(ended: Outcome['status']): void {
    for (const { permit, isSent } of this.#taken.values())
      if (permit !== undefined) this.#settle(permit, { status: isSent ? ended : 'not-run' })
    this.#taken.clear()
    for (const handle of this.#open) this.#end(handle, handle.isClosed ? 'done' : ended)
    this.#named.clear()
  }

  #end(handle: Handle, ended: Outcome['status']): void {
    if (this.#open.delete(handle)) this.#settle(handle.permit, handle.content.outcome(ended))
  }
}
