/**
 * How a request goes on its way: with the permit of something open, or once it is cleared, or not at all. Each in the line,
 * and answered once.
 */
import type { Command } from '../../../../contract/command.ts'
import type { Outcome } from '../../../../contract/record.ts'
import type { Refusal } from '../../../../contract/refusal.ts'
import type { Checkpoint, Permit } from '../../../checkpoint.ts'
import { holdLines, refusalLines } from '../../terminal/refusals.ts'
import { Ledger, type Taken } from './ledger.ts'
import { Line } from './line.ts'
import { outcomeOf } from './outcome.ts'
import { refusalReply } from './refusals.ts'
import { type Status, statusCodes, statusReply } from './replies.ts'
import type { Frame } from './wire.ts'

export interface DeskParts {
  readonly checkpoint: Checkpoint
  /** Aborted when the client says no more, or either side is gone: what is held is then given up. */
  readonly leaving: AbortSignal
  toClient(bytes: Buffer): void
  /** With what allows it: a permit, or the reason why none is needed. */
  toTarget(bytes: Buffer, leave: Leave): void
  /** Lines beside the protocol. */
  tell(lines: readonly string[]): void
  /** Something has changed that no frame caused. */
  stir(): void
  /** A defect of ours. */
  fail(error: unknown): void
}

export type Leave = Permit | 'says nothing of files'

/** A client that asks for more than this without waiting for answers is not read any further. */
const mostTaken = 4096
const mostWaitingBytes = 1024 * 1024

/** A request on the desk. */
export interface Case {
  readonly frame: Frame
  readonly id: number
  readonly taken: Taken
}

export class Desk {
  readonly ledger: Ledger
  readonly #parts: DeskParts
  readonly #line = new Line()
  /** What is being asked of the checkpoint. */
  readonly #tasks = new Set<Promise<void>>()
  #isOver = false

  constructor(parts: DeskParts) {
    this.#parts = parts
    this.ledger = new Ledger((permit, outcome) => parts.checkpoint.settle(permit, outcome))
  }

  get hasRoom(): boolean {
    return this.ledger.size < mostTaken && this.#line.bytes < mostWaitingBytes
  }

  /** Nothing waits: what comes next goes at once where it needs no clearance. */
  get isFree(): boolean {
    return this.#line.length === 0
  }

  get isDrained(): boolean {
    return this.#tasks.size === 0 && this.isFree
  }

  /** The rules would allow it now. */
  wouldAllow(command: Command): boolean {
    return this.#parts.checkpoint.preview(command).verdict === 'allow'
  }

  /** In the line, without a command of its own. */
  pass({ frame, taken }: Case, paths: readonly string[], leave: Leave, going?: () => void): void {
    const go = () => {
      taken.isSent = true
      going?.()
      this.#parts.toTarget(frame.bytes, leave)
    }
    if (this.#line.length === 0) go()
    else this.#line.join(paths, frame.bytes.length).ready(go)
  }

  /** In the line, once it is cleared. `permitted` may still say no. */
  clear(
    { frame, id, taken }: Case,
    command: Command,
    permitted: (permit: Permit) => Refusal | undefined = () => undefined,
  ): void {
    const { checkpoint, leaving: signal } = this.#parts
    const place = this.#line.join(command.objects, frame.bytes.length)
    this.#run(async () => {
      const onHold = (hold: Parameters<typeof holdLines>[0]) => {
        place.hold()
        this.#parts.tell(holdLines(hold))
        // What this one no longer holds up has just been passed on.
        this.#parts.stir()
      }
      const clearance = await checkpoint.clear([command], { signal, onHold })
      if ('refusal' in clearance) {
        this.#refuse(id, clearance.refusal)
        return place.leave()
      }
      const [permit] = clearance.permits
      if (permit === undefined) throw new Error('no permit')
      if (this.#isOver) return checkpoint.settle(permit, { status: 'not-run' })
      taken.permit = permit
      taken.answered = ({ bytes }, status) => {
        checkpoint.settle(permit, status === undefined ? { status: 'done' } : outcomeOf(status))
        return bytes
      }
      const no = permitted(permit)
      if (no !== undefined) {
        checkpoint.settle(permit, { status: 'refused', error: { code: no.code, message: no.message } })
        this.#refuse(id, no)
        return place.leave()
      }
      place.ready(() => {
        taken.isSent = true
        this.#parts.toTarget(frame.bytes, permit)
      })
    })
  }

  /** What is not forwarded whatever the rules say, and written down. */
  forbid(id: number, command: Command, why: string): void {
    this.#run(async () =>
      this.#refuse(id, await this.#parts.checkpoint.refuse([command], why), statusCodes.unsupported),
    )
  }

  #refuse(id: number, refusal: Refusal, code?: number): void {
    if (this.#isOver) return
    this.ledger.drop(id)
    this.#parts.tell(refusalLines(refusal))
    this.#parts.toClient(refusalReply(id, refusal, code))
  }

  reply(id: number, { code, message }: Status): void {
    this.ledger.drop(id)
    this.#parts.toClient(statusReply(id, code, message))
  }

  #run(work: () => Promise<void>): void {
    const task = work().catch(this.#parts.fail)
    this.#tasks.add(task)
    void task.then(() => {
      this.#tasks.delete(task)
      this.#parts.stir()
    })
  }

  /** Settles all that is open. Resolves when nothing is asked of the checkpoint any more. */
  async close(ended: Outcome['status']): Promise<void> {
    this.#isOver = true
    this.#line.clear()
    this.ledger.close(ended)
    await Promise.all(this.#tasks)
  }
}
