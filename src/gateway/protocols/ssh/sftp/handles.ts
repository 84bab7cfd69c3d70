/** What a client has open at the target: each handle with the permit it was opened with, and what has gone through it. */
import type { Outcome } from '../../../../contract/record.ts'
import type { Permit } from '../../../checkpoint.ts'
import type { Modes } from './commands.ts'
import { Digest } from './digest.ts'
import type { Status } from './replies.ts'
import { failureOf } from './outcome.ts'

export interface Handle {
  readonly path: string
  /** Where that is cannot be known (commands.ts). */
  readonly dynamic: boolean
  readonly permit: Permit
  readonly content: File | Directory
  /** Requests about it that are not answered yet. */
  asked: number
  /** Its CLOSE was answered, or will never be. */
  isClosed: boolean
}

/** A handle is the target's to choose; longer ones no version of the protocol allows. */
export const longestHandle = 256

export class File {
  readonly modes: Modes
  readonly #reads = new Digest()
  readonly #writes = new Digest()
  #wasRead = false
  #resizedTo: number | undefined
  #failure: Outcome['error']

  constructor(modes: Modes) {
    this.modes = modes
  }

  read(offset: number, data: Buffer): void {
    this.#wasRead = true
    this.#reads.add(offset, data)
  }

  readToEnd(): void {
    this.#wasRead = true
  }

  write(offset: number, data: Buffer): void {
    this.#writes.add(offset, data)
  }

  /** The target has put something there that did not go through. */
  wasChanged(): void {
    this.#writes.spoil()
  }

  /** OpenSSH's clients do so at the end of every upload: then it is what was written. */
  resized(size: number): void {
    if (size === this.#writes.length) return
    this.#resizedTo = size
    this.#writes.spoil()
  }

  failed(status: Status): void {
    this.#failure ??= failureOf(status)
    this.#writes.spoil()
  }

  outcome(ended: Outcome['status']): Outcome {
    const [bytesIn, bytesOut] = [this.#writes.bytes, this.#reads.bytes]
    const { modes } = this
    const failure = this.#failure === undefined ? {} : { error: this.#failure }
    const counted = { ...(modes.writes && { bytesIn }), ...(modes.reads && { bytesOut }) }
    const status = ended === 'done' && this.#failure !== undefined ? 'failed' : ended
    const resized = this.#resizedTo === undefined ? {} : { summary: `size set to ${this.#resizedTo}` }
    return { status, ...counted, ...this.#transfer(), ...failure, ...resized }
  }

  /** A file that was read and written is an upload: what came of it stays. */
  #transfer(): Pick<Outcome, 'transfer'> {
    const { reads, writes } = this.modes
    if (writes && (!reads || this.#writes.bytes > 0))
      return { transfer: { direction: 'upload', bytes: this.#writes.bytes, sha256: this.#writes.sha256() } }
    if (!this.#wasRead) return {}
    return { transfer: { direction: 'download', bytes: this.#reads.bytes, sha256: this.#reads.sha256() } }
  }
}

export class Directory {
  #entries = 0

  listed(entries: number): void {
    this.#entries += entries
  }

  outcome(status: Outcome['status']): Outcome {
    return { status, rows: this.#entries }
  }
}
