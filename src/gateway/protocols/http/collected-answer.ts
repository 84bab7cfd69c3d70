/** An answer that is kept in memory, up to a bound, until somebody fetches it. */
import type { AnswerHead, Fields, OwnAnswer } from './exchange.ts'
import type { Sink } from './sink.ts'

const contentLength = 'content-length'

export class CollectedAnswer implements Sink {
  onRoom: (() => void) | undefined
  /** Nothing of it has been said to anybody before it is whole. */
  readonly hasBegun = false
  /** Called once, when there is more than may be kept. */
  onTooLong: (() => void) | undefined
  readonly #most: number
  #head: AnswerHead | undefined
  #parts: Buffer[] = []
  #bytes = 0

  constructor(most: number) {
    this.#most = most
  }

  interim(): void {}

  head(head: AnswerHead): void {
    this.#head = head
  }

  data(bytes: Buffer): boolean {
    this.#bytes += bytes.length
    if (this.#bytes <= this.#most) {
      this.#parts.push(bytes)
      return true
    }
    this.cut()
    const tell = this.onTooLong
    this.onTooLong = undefined
    tell?.()
    return true
  }

  end(_trailers: Fields): void {}

  cut(): void {
    this.#parts = []
    this.#head = undefined
  }

  /** Undefined where it did not get whole. */
  whole(): OwnAnswer | undefined {
    if (this.#head === undefined) return undefined
    const fields = this.#head.fields.filter(([name]) => name.toLowerCase() !== contentLength)
    return { ...this.#head, fields, body: Buffer.concat(this.#parts) }
  }
}
