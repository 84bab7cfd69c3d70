/**
 * One permitted request on its way: hears what the target answers, shows it as the dialect wants it shown, adds up, and
 * settles its permit once.
 */
import type { Duplex, Transform } from 'node:stream'
import type { Clock } from '../../../base/clock.ts'
import type { Outcome } from '../../../contract/record.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Checkpoint } from '../../checkpoint.ts'
import type { Target } from '../protocol.ts'
import {
  type AnswerHead,
  type Cleared,
  type Dialect,
  type Failure,
  type Fields,
  type InFlight,
  type Keeper,
  type Listener,
  type Results,
  type Through,
  WithheldError,
} from './exchange.ts'
import { Malformed } from './malformed.ts'
import { notUnderstood } from './refusals.ts'
import type { Sink } from './sink.ts'

/** How a run ended, for whoever goes on with the connection. */
export type RunEnd =
  /** The client has all of the answer there is. */
  | { readonly kind: 'answered' }
  /** The answer was cut off. */
  | { readonly kind: 'cut' }
  /** Nothing was said to the client yet: it has to be told this. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly status?: number | undefined }
  | { readonly kind: 'upgraded'; readonly answer: AnswerHead; readonly socket: Duplex }

export interface RunParts {
  readonly checkpoint: Checkpoint
  readonly clock: Clock
  readonly dialect: Dialect
  readonly target: Target
}

const couldNotBeMasked = 'it could not be masked'
const noFields: Fields = []

export class Run implements Listener {
  /** Resolves once, when nothing more will be said. */
  readonly over: Promise<RunEnd>
  readonly #parts: RunParts
  readonly #cleared: Cleared
  readonly #sink: Sink
  readonly #started: number
  #resolve: (end: RunEnd) => void = ignore
  #inFlight: InFlight | undefined
  #isOver = false
  #answer: AnswerHead | undefined
  #firstByteMs = 0
  #keeper: Keeper | undefined
  #looked: Through | undefined
  /** What the body goes through; none where it is not looked at, or there is none. */
  #through: readonly Transform[] = []
  /** Waits for what comes out of the streams: they may still fail. */
  #waitingHead: AnswerHead | undefined
  #trailers: Fields = noFields
  #bytesIn = 0
  #bytesOut = 0

  constructor(parts: RunParts, cleared: Cleared, sink: Sink) {
    this.#parts = parts
    this.#cleared = cleared
    this.#sink = sink
    this.#started = parts.clock.elapsed()
    this.over = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** How to reach the request that was sent. */
  began(inFlight: InFlight): void {
    this.#inFlight = inFlight
    // It may have failed before it could be reached.
    if (this.#isOver) return
    this.#sink.onRoom = () => this.#goOn()
  }

  sent(bytes: number): void {
    this.#bytesIn += bytes
  }

  interim(head: AnswerHead): void {
    if (this.#isOver) return
    // Its fields are hints about the answer: what may not be shown of it is left out.
    const results = this.#resultsOf(head)
    if (results.kind === 'untouched') this.#sink.interim(head)
    else if (results.kind === 'through') this.#sink.interim({ status: head.status, fields: results.fields })
  }

  head(head: AnswerHead): void {
    if (this.#isOver) return
    const { clock } = this.#parts
    this.#answer = head
    this.#firstByteMs = clock.elapsed() - this.#started
    const results = this.#resultsOf(head)
    if (results.kind === 'withheld') {
      this.withhold(results.reason)
      return
    }
    if (results.kind === 'untouched') {
      this.#show(head)
      return
    }
    this.#looked = results
    // Without the reason phrase, which may say anything.
    const shown: AnswerHead = { status: head.status, fields: results.fields }
    this.#answer = shown
    if (results.headWaits && results.through.length > 0) this.#waitingHead = shown
    else this.#show(shown)
    this.#passThrough(results.through)
  }

  data(bytes: Buffer): boolean {
    if (this.#isOver) return true
    const [first] = this.#through
    return first === undefined ? this.#shown(bytes) : first.write(bytes)
  }

  end(trailers: Fields): void {
    if (this.#isOver) return
    this.#trailers = this.#looked === undefined ? trailers : this.#looked.trailers(trailers)
    const [first] = this.#through
    if (first === undefined) this.#finish()
    else first.end()
  }

  upgraded(answer: AnswerHead, socket: Duplex): void {
    if (this.#isOver) {
      socket.destroy()
      return
    }
    this.#isOver = true
    // Settled by whoever relays it.
    this.#resolve({ kind: 'upgraded', answer, socket })
  }

  failed({ code, message, next, timedOut, unsent }: Failure): void {
    const error = { code, message }
    const status = this.#answer !== undefined ? 'failed' : unsent === true ? 'not-run' : 'unknown'
    this.#stop({ status, error }, { code, message, next }, timedOut === true ? 504 : undefined)
  }

  /** The client broke the rules in the middle of its body, or left there. */
  broke(error: unknown): void {
    if (!(error instanceof Malformed)) {
      this.cancel()
      return
    }
    this.#inFlight?.abort()
    this.#stop(
      { status: 'cancelled', error: { code: String(error.status), message: error.message } },
      notUnderstood(error.message),
      error.status,
    )
  }

  /** The client has gone. */
  cancel(): void {
    this.#inFlight?.abort()
    this.#stop(
      { status: 'cancelled' },
      { code: 'cancelled', message: 'not run: the client gave up', next: 'ask again' },
    )
  }

  /** An admin's doing, or the gateway's end: both ends at once. */
  kill(refusal: Refusal): void {
    this.#inFlight?.abort()
    this.#stop({ status: 'unknown' }, refusal)
  }

  /** What the target answered may not be shown. */
  withhold(reason: string): void {
    this.#inFlight?.abort()
    const message = `the answer is withheld: ${reason}`
    this.#stop(
      { status: 'done', error: { code: 'withheld', message } },
      {
        code: 'not-allowed',
        message,
        next: 'ask for an answer that can be masked',
        command: this.#cleared.permit.command,
      },
    )
  }

  /** Fail closed: an answer that nobody could judge is not shown. */
  #resultsOf(head: AnswerHead): Results {
    const { dialect, target } = this.#parts
    try {
      return dialect.results(this.#cleared, head, target)
    } catch {
      return { kind: 'withheld', reason: couldNotBeMasked }
    }
  }

  #show(head: AnswerHead): void {
    this.#keeper = this.#parts.dialect.keeper(this.#cleared, head)
    this.#sink.head(head)
  }

  #shown(bytes: Buffer): boolean {
    this.#bytesOut += bytes.length
    this.#keeper?.take(bytes)
    return this.#sink.data(bytes)
  }

  #finish(): void {
    this.#isOver = true
    this.#sink.end(this.#trailers)
    const status = this.#answer?.status ?? 0
    const phrase = this.#answer?.phrase ?? ''
    this.#settle(
      status >= 400 ? { status: 'failed', error: { code: String(status), message: phrase } } : { status: 'done' },
      true,
    )
    this.#resolve({ kind: 'answered' })
  }

  #stop(end: Pick<Outcome, 'status' | 'error'>, refusal: Refusal, status?: number): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const stream of this.#through) stream.destroy()
    this.#settle(end, false)
    if (!this.#sink.hasBegun) this.#resolve({ kind: 'refused', refusal, status })
    else {
      this.#sink.cut()
      this.#resolve({ kind: 'cut' })
    }
  }

  #passThrough(through: readonly Transform[]): void {
    this.#through = through
    const last = through.at(-1)
    const [first] = through
    if (last === undefined || first === undefined) return
    through.forEach((stream, index) => {
      stream.on('error', (error) => this.#notMasked(error))
      const next = through[index + 1]
      if (next !== undefined) stream.pipe(next)
    })
    first.on('drain', () => this.#inFlight?.resume())
    last.on('data', (bytes: Buffer) => {
      this.#showWaitingHead()
      if (!this.#shown(bytes)) last.pause()
    })
    last.on('end', () => {
      if (this.#isOver) return
      this.#showWaitingHead()
      this.#finish()
    })
  }

  #showWaitingHead(): void {
    if (this.#waitingHead === undefined) return
    this.#show(this.#waitingHead)
    this.#waitingHead = undefined
  }

  /** What should have masked the answer could not: none of it that is not out already may be seen. */
  #notMasked(error: unknown): void {
    if (!this.#isOver) this.withhold(error instanceof WithheldError ? error.message : couldNotBeMasked)
  }

  #goOn(): void {
    const last = this.#through.at(-1)
    if (last === undefined) this.#inFlight?.resume()
    else last.resume()
  }

  #settle(end: Pick<Outcome, 'status' | 'error'>, whole: boolean): void {
    const { checkpoint, clock } = this.#parts
    const { permit } = this.#cleared
    const outcome: Outcome = {
      ...end,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      durationMs: Math.max(0, clock.elapsed() - this.#started),
      ...(this.#answer === undefined ? undefined : { summary: summaryOf(this.#answer) }),
      ...(this.#looked?.masked() === true ? { masked: true } : undefined),
    }
    const answer = this.#keeper?.answer(whole, this.#firstByteMs)
    if (answer instanceof Promise)
      answer.then(
        (answer) => checkpoint.settle(permit, { ...outcome, answer }),
        // What became of it is known all the same.
        () => checkpoint.settle(permit, outcome),
      )
    else checkpoint.settle(permit, answer === undefined ? outcome : { ...outcome, answer })
  }
}

function summaryOf({ status, phrase }: AnswerHead): string {
  return phrase === undefined || phrase === '' ? String(status) : `${status} ${phrase}`
}

function ignore(): void {}
