/**
 * One request on its way through undici, and its answer. It is sent once; a second time only where that changes nothing:
 * an idempotent one whose kept connection was just being closed, and one that was refused for a credential that has been
 * renewed since.
 */
import type { Duplex, Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Target } from '../protocol.ts'
import { endToEnd, fieldsOf, type RawFields } from './answer-fields.ts'
import type { BodyEraser } from './erasing.ts'
import type { AnswerHead, Fields, InFlight, Listener, Outgoing, RequestHead } from './exchange.ts'
import { failureOf, isLostConnection } from './failures.ts'
import type { Login, Pass } from './login.ts'
import { withLocalAddresses } from './own-addresses.ts'
import type { Hold } from './pools.ts'
import { RequestBody } from './request-body.ts'

/** What the requests of one connection share. */
export interface Way {
  readonly target: Target
  readonly login: Login
  readonly hold: Hold
  /** Aborted when the connection is over. */
  readonly signal: AbortSignal
  ended(sending: Sending): void
}

/** RFC 9110, 9.2.2, without what is not forwarded at all. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

export class Sending implements InFlight {
  readonly #way: Way
  readonly #outgoing: Outgoing
  readonly #listener: Listener
  readonly #body: RequestBody | Uint8Array | undefined
  #pass: Pass | undefined
  /** The one that counts; events of an earlier one are late. Undefined: it is over. */
  #attempt: Attempt | undefined
  #isOver = false
  #hasRenewed = false
  #hasRepeated = false
  #answered = false
  #eraser: BodyEraser | undefined

  constructor(way: Way, outgoing: Outgoing, listener: Listener) {
    this.#way = way
    this.#outgoing = outgoing
    this.#listener = listener
    const { body } = outgoing
    this.#body = body === undefined || body instanceof Uint8Array ? body : new RequestBody(body)
  }

  start(): void {
    const { login, signal } = this.#way
    try {
      const pass = login.current(signal)
      if (pass instanceof Promise) pass.then((got) => this.#send(got)).catch((error: unknown) => this.#fail(error))
      else this.#send(pass)
    } catch (error) {
      this.#fail(error)
    }
  }

  resume(): void {
    this.#attempt?.controller?.resume()
  }

  abort(): void {
    if (this.#isOver) return
    const attempt = this.#attempt
    this.#end()
    attempt?.giveUp()
  }

  #end(): void {
    this.#isOver = true
    this.#attempt = undefined
    if (this.#body instanceof RequestBody) this.#body.stop()
    this.#way.ended(this)
  }

  #send(pass: Pass): void {
    if (this.#isOver) return
    this.#pass = pass
    const { hold } = this.#way
    const head = pass.sign(this.#outgoing.head)
    const attempt = new Attempt(this)
    this.#attempt = attempt
    const dispatcher = head.upgrade === undefined ? hold.requests : hold.upgrades()
    dispatcher.dispatch(
      {
        path: head.target,
        method: head.method,
        headers: headersOf(head, pass.eraser.active),
        body: bodyFor(this.#body),
        // undici ends the connection after a HEAD, for servers that send a body all the same; its parser would notice.
        ...(head.method === 'HEAD' && this.#body === undefined ? { reset: false } : {}),
        ...(head.upgrade === undefined ? {} : { upgrade: head.upgrade }),
      },
      attempt,
    )
  }

  #fail(error: unknown): void {
    if (this.#isOver) return
    const sent = this.#attempt?.controller !== undefined
    const failure = failureOf(this.#way.target.name, error, { sent, answered: this.#answered })
    this.#end()
    this.#listener.failed(failure)
  }

  /** Whether it is the same once more: nothing of the body has gone, or it is kept. */
  #canSendAgain(): boolean {
    return !(this.#body instanceof RequestBody) || !this.#body.begun
  }

  counts(attempt: Attempt): boolean {
    return this.#attempt === attempt
  }

  onHead(attempt: Attempt, head: AnswerHead): void {
    if (head.status < 200) this.#listener.interim(this.#shown(head))
    else if (head.status === 401 && !this.#hasRenewed && this.#canSendAgain()) this.#renew(attempt, head)
    else this.#tell(head)
  }

  /** The answer waits until it is known whether there is another credential. */
  #renew(attempt: Attempt, head: AnswerHead): void {
    const { login, signal } = this.#way
    const refused = this.#pass
    this.#hasRenewed = true
    if (refused === undefined || !login.renews) {
      this.#tell(head)
      return
    }
    attempt.controller?.pause()
    login
      .renew(refused, signal)
      // Without a new credential the target's "no" is the answer; why there is none, the next connection will tell.
      .catch(() => false)
      .then((isNew) => {
        if (!this.counts(attempt)) return
        if (!isNew) {
          this.#tell(head)
          attempt.controller?.resume()
          return
        }
        this.#attempt = undefined
        attempt.giveUp()
        this.start()
      })
      .catch((error: unknown) => this.#fail(error))
  }

  #tell(head: AnswerHead): void {
    this.#answered = true
    const eraser = this.#pass?.eraser
    this.#eraser = eraser?.active === true ? eraser.body() : undefined
    this.#listener.head(this.#shown(head))
  }

  #shown({ status, phrase, fields }: AnswerHead): AnswerHead {
    const { target } = this.#way
    const local = withLocalAddresses(endToEnd(fields, status === 101), target, this.#outgoing.host)
    return { status, phrase, fields: this.#erased(local) }
  }

  #erased(fields: Fields): Fields {
    return this.#pass?.eraser.fields(fields) ?? fields
  }

  onData(attempt: Attempt, bytes: Buffer): void {
    const shown = this.#eraser === undefined ? bytes : this.#eraser.push(bytes)
    if (shown.length > 0 && !this.#listener.data(shown)) attempt.controller?.pause()
  }

  onEnd(trailers: Fields): void {
    const rest = this.#eraser?.end()
    if (rest !== undefined && rest.length > 0) this.#listener.data(rest)
    if (this.#isOver) return
    this.#end()
    this.#listener.end(this.#erased(endToEnd(trailers)))
  }

  onUpgrade(head: AnswerHead, socket: Duplex): void {
    this.#end()
    this.#listener.upgraded(this.#shown(head), socket)
  }

  onError(attempt: Attempt, error: unknown): void {
    const wasSent = attempt.controller !== undefined
    if (wasSent && !this.#answered && !this.#hasRepeated && this.#canRepeat() && isLostConnection(error)) {
      this.#hasRepeated = true
      this.start()
      return
    }
    this.#fail(error)
  }

  #canRepeat(): boolean {
    const { method, upgrade } = this.#outgoing.head
    return idempotent.has(method) && upgrade === undefined && this.#body === undefined
  }
}

/** One time through undici. */
class Attempt implements Dispatcher.DispatchHandler {
  readonly #sending: Sending
  /** There from the moment of sending on. */
  controller: Dispatcher.DispatchController | undefined
  #isGivenUp = false

  constructor(sending: Sending) {
    this.#sending = sending
  }

  giveUp(): void {
    this.#isGivenUp = true
    this.controller?.abort(new Error('given up'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    // It waited for a connection, and nobody waits for it any more.
    if (this.#isGivenUp) controller.abort(new Error('given up'))
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _headers: unknown, phrase?: string): void {
    if (this.#sending.counts(this)) this.#sending.onHead(this, headOf(controller, status, phrase))
  }

  onResponseData(_controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.#sending.counts(this)) this.#sending.onData(this, bytes)
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#sending.counts(this)) this.#sending.onEnd(fieldsOf(rawOf(controller.rawTrailers)))
  }

  onRequestUpgrade(controller: Dispatcher.DispatchController, status: number, _headers: unknown, socket: Duplex): void {
    // undici has taken its own listeners off: an error that nobody listens to would end the process.
    socket.on('error', ignore)
    if (this.#sending.counts(this)) this.#sending.onUpgrade(headOf(controller, status, undefined), socket)
    else socket.destroy()
  }

  onResponseError(_controller: unknown, error: unknown): void {
    if (this.#sending.counts(this)) this.#sending.onError(this, error)
  }
}

function headOf(controller: Dispatcher.DispatchController, status: number, phrase: string | undefined): AnswerHead {
  return { status, phrase: phrase === '' ? undefined : phrase, fields: fieldsOf(rawOf(controller.rawHeaders)) }
}

// undici takes async iterables (its Request says so), which its types leave out; a stream around this one would only cost.
function bodyFor(body: RequestBody | Uint8Array | undefined): Uint8Array | Readable | null {
  return body === undefined || body instanceof Uint8Array ? (body ?? null) : (body as unknown as Readable)
}

// undici gives what it has parsed, which its types say less precisely.
function rawOf(raw: Dispatcher.DispatchController['rawHeaders']): RawFields | null | undefined {
  return raw
}

/** Names and values in turn, as undici takes them. */
function headersOf({ fields, body }: RequestHead, plainOnly: boolean): string[] {
  const headers: string[] = []
  for (const [name, value] of fields) {
    const lower = name.toLowerCase()
    // What is compressed cannot be searched for the credential.
    if (plainOnly && lower === 'accept-encoding') continue
    // For a proxy, and the gateway is none: it was never meant for the target (RFC 9110, 11.7.1).
    if (lower === 'proxy-authorization') continue
    // Over HTTP/2 several Cookie lines are joined as cookies are, by this name only.
    headers.push(lower === 'cookie' ? lower : name, value)
  }
  if (plainOnly) headers.push('accept-encoding', 'identity')
  if (typeof body === 'object') headers.push('content-length', String(body.bytes))
  return headers
}

function ignore(): void {}
