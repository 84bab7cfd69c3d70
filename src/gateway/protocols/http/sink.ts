/** Where an answer goes: to the client on its connection (answer-writer.ts), or kept until it is asked for (collected-answer.ts). */
import type { AnswerHead, Fields } from './exchange.ts'

export interface Sink {
  /** A head has been said: what comes then can only go on or be cut off. */
  readonly hasBegun: boolean
  interim(head: AnswerHead): void
  head(head: AnswerHead): void
  /** False: nothing more, please, until `onRoom`. */
  data(bytes: Buffer): boolean
  end(trailers: Fields): void
  /** The answer will not get whole: whoever reads it must notice. */
  cut(): void
  /** Called when there is room again after `data` has said false. */
  onRoom: (() => void) | undefined
}
