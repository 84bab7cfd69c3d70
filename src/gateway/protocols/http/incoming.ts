/** What the client of one connection sends: heads and bodies, one after another, as they arrive. */
import { hoopError } from '../../../contract/error-codes.ts'
import type { Intake } from '../wire/intake.ts'
import type { ReadHead } from './request-head.ts'
import { RequestReader } from './wire.ts'

export class Incoming {
  readonly #intake: Intake
  readonly #reader = new RequestReader()
  /** Bytes are read for everybody at once: a body that nobody wants any more may still have been asked for its next part. */
  #arriving: Promise<boolean> | undefined

  constructor(intake: Intake) {
    this.#intake = intake
  }

  /** The last request was read to its end. */
  get isBetween(): boolean {
    return this.#reader.isBetween
  }

  /** Aborted as soon as the client has ended, even if there is more to read. */
  get gone(): AbortSignal {
    return this.#intake.gone
  }

  /** The next request's; undefined where the client has ended instead. Throws Malformed. */
  async head(): Promise<ReadHead | undefined> {
    for (;;) {
      const head = this.#reader.head()
      if (head !== undefined) return head
      if (await this.#arrive()) continue
      // Half a request is nobody's wish.
      return undefined
    }
  }

  /** The next part of the body of the request whose head was read last; undefined at its end. Throws Malformed. */
  async part(): Promise<Buffer | undefined> {
    for (;;) {
      const part = this.#reader.body()
      if (part !== undefined) return part
      if (this.#reader.isBetween) return undefined
      if (!(await this.#arrive())) throw hoopError('cancelled', 'the client left before its request was whole')
    }
  }

  /** Lets the body of the last request go, up to so many bytes; false: there was more, or the client has left. */
  async drop(most: number): Promise<boolean> {
    let dropped = 0
    for (;;) {
      const part = await this.part()
      if (part === undefined) return true
      dropped += part.length
      if (dropped > most) return false
    }
  }

  /** Reads and drops whatever comes until the client has ended: closing with bytes in hand resets the link under an answer. */
  async dropAll(): Promise<void> {
    do this.#reader.rest()
    while (await this.#arrive())
  }

  /** The bytes behind the last request belong to another protocol from here on. */
  handOver(): void {
    this.#intake.unread(this.#reader.rest())
    this.#intake.release()
  }

  #arrive(): Promise<boolean> {
    this.#arriving ??= this.#intake.next().then((bytes) => {
      this.#arriving = undefined
      if (bytes !== undefined) this.#reader.push(bytes)
      return bytes !== undefined
    })
    return this.#arriving
  }
}
