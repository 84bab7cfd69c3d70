/**
 * The way from here to the gateway: `open(target, session)` gives the two directions of one connection. It prefers one
 * socket for all and falls back to WebSockets where only those pass, remembers which worked, comes back after a loss by itself, and says
 * so. What travels on it is not its business.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Duplex } from 'node:stream'
import { hoopError, isHoopError } from '../contract/error-codes.ts'
import type { LoneSession } from '../contract/link.ts'
import { placeOf, unreachable, type Way } from './dial.ts'
import { connectUpgrade } from './link-upgrade.ts'
import { type Transport, TransportLost, TransportUnfit } from './transport.ts'

export interface LinkOptions {
  /** The gateway's URL. */
  readonly gateway: string
  /** A token that is good now; asked for every stream. */
  readonly token: () => Promise<string>
  /** PEM of the certificate authority to trust instead of the system's. */
  readonly ca?: string | undefined
  /** An HTTP proxy's URL (proxy.ts reads it out of the environment). */
  readonly proxy?: string | undefined
  /** To reach the gateway: 5 s unless said otherwise. */
  readonly timeoutMs?: number | undefined
}

export interface LinkEvent {
  readonly event: 'connected' | 'lost' | 'back'
  /** One sentence for a person. */
  readonly message: string
}

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined
  /** How long to wait for a lost gateway to come back; 0 unless said otherwise. */
  readonly patienceMs?: number | undefined
}

export interface Link {
  /** Connects now rather than at the first open. Throws `gateway-unreachable`. */
  connect(signal?: AbortSignal): Promise<void>
  /**
   * Opens one connection to a target. Throws what the gateway answers (`sign-in-needed`, `not-found`, `not-allowed`,
   * `killed`, …), or `gateway-unreachable`.
   */
  open(target: string, session: string | LoneSession, options?: OpenOptions): Promise<Duplex>
  onEvent(listener: (event: LinkEvent) => void): () => void
  /** Ends all connections. */
  close(): void
}

const firstDelayMs = 250
const longestDelayMs = 15_000

export function createLink(options: LinkOptions): Link {
  return new GatewayLink(options)
}

class GatewayLink implements Link {
  readonly #way: Way
  readonly #token: () => Promise<string>
  readonly #listeners = new Set<(event: LinkEvent) => void>()
  readonly #closed = new AbortController()
  #transport: Transport | undefined
  /** The one above, and those that are lost to new streams while old ones finish on them. */
  readonly #transports = new Set<Transport>()
  /** The attempt that runs now, or the return of a lost gateway that is waited for. */
  #arrival: Promise<Transport> | undefined
  #works: Transport['kind'] | undefined
  /** Set while the gateway is lost: why, and how to end the pause before the next attempt. */
  #loss: { why: unknown; hurry: () => void } | undefined

  constructor(options: LinkOptions) {
    this.#way = {
      gateway: new URL(options.gateway),
      ca: options.ca,
      proxy: options.proxy === undefined ? undefined : new URL(options.proxy),
      timeoutMs: options.timeoutMs ?? 5000,
    }
    this.#token = options.token
  }

  async connect(signal?: AbortSignal): Promise<void> {
    await this.#ready(signal, 0)
  }

  async open(
    target: string,
    session: string | LoneSession,
    { signal, patienceMs = 0 }: OpenOptions = {},
  ): Promise<Duplex> {
    const deadline = performance.now() + patienceMs
    for (let attempt = 1; ; attempt++) {
      const transport = await this.#ready(signal, Math.max(0, deadline - performance.now()))
      try {
        return await transport.open({ target, session, token: await this.#token(), signal })
      } catch (error) {
        if (error instanceof TransportUnfit && transport.kind === 'upgrade' && attempt < 5)
          this.#takeWebSockets(transport)
        else if (error instanceof TransportLost && attempt < 5) await nextTurn()
        else if (isStopping(error) && performance.now() < deadline) await soon()
        else if (isHoopError(error)) throw error
        else throw unreachable(this.#way, error)
      }
    }
  }

  onEvent(listener: (event: LinkEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#closed.abort()
    for (const transport of this.#transports) transport.close()
    this.#transport = undefined
  }

  async #ready(signal: AbortSignal | undefined, patienceMs: number): Promise<Transport> {
    if (this.#closed.signal.aborted) throw hoopError('cancelled', 'the link is closed')
    if (this.#transport !== undefined) return this.#transport
    if (this.#loss === undefined) {
      this.#arrival ??= this.#arrive()
      return waitFor(this.#arrival, signal)
    }
    this.#loss.hurry()
    if (this.#arrival === undefined || patienceMs <= 0) throw unreachable(this.#way, this.#loss.why)
    const { why } = this.#loss
    return waitFor(this.#arrival, signal, patienceMs, () => unreachable(this.#way, this.#loss?.why ?? why))
  }

  /** The first connection: its failure is told to whoever asked, and nobody tries again. */
  async #arrive(): Promise<Transport> {
    try {
      const transport = await this.#connectAnyWay()
      this.#adopt(transport)
      this.#tell('connected', `connected to ${placeOf(this.#way)} over ${named[transport.kind]}`)
      return transport
    } finally {
      this.#arrival = undefined
    }
  }

  async #connectAnyWay(): Promise<Transport> {
    const { signal } = this.#closed
    if (this.#works !== 'websocket') {
      try {
        return await connectUpgrade(this.#way, signal)
      } catch (error) {
        if (!(error instanceof TransportUnfit)) throw error
        // Whatever answered there does not pass the upgrade: a WebSocket is the other thing that can pass.
      }
    }
    // Loaded where it is needed: `ws` would cost every `hoop proxy` more than its whole connection.
    const { connectWebSocket } = await import('./link-websocket.ts')
    return connectWebSocket(this.#way, signal)
  }

  #adopt(transport: Transport): void {
    this.#transport = transport
    this.#works = transport.kind
    this.#loss = undefined
    this.#transports.add(transport)
    transport.over.then(() => this.#transports.delete(transport)).catch(() => {})
    transport.lost.then((reason) => this.#lose(transport, reason)).catch(() => {})
    if (this.#closed.signal.aborted) transport.close()
  }

  /** Streams that are open on the other socket go on; new ones take WebSockets. */
  #takeWebSockets(unfit: Transport): void {
    this.#works = 'websocket'
    if (this.#transport === unfit) this.#transport = undefined
  }

  #lose(transport: Transport, reason: string): void {
    if (this.#transport !== transport || this.#closed.signal.aborted) return
    this.#transport = undefined
    this.#loss = { why: reason, hurry: () => {} }
    this.#tell('lost', `lost ${placeOf(this.#way)} (${reason}); trying to get back`)
    this.#arrival = this.#comeBack()
    // Nobody may be waiting for it; whoever does gets the same rejection.
    this.#arrival.catch(() => {})
  }

  /** Tries until it works or the link is closed, with growing, jittered pauses: many clients lose a gateway at once. */
  async #comeBack(): Promise<Transport> {
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(longestDelayMs, delayMs * 2)) {
      await this.#pause(delayMs * (0.5 + Math.random()))
      if (this.#closed.signal.aborted) throw hoopError('cancelled', 'the link is closed')
      try {
        const transport = await this.#connectAnyWay()
        this.#arrival = undefined
        this.#adopt(transport)
        this.#tell('back', `${placeOf(this.#way)} is back`)
        return transport
      } catch (error) {
        if (this.#loss !== undefined) this.#loss.why = error
      }
    }
  }

  /** Ends early when somebody waits for the gateway, but not before the shortest pause is over. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#closed
    const options = { signal, ref: false }
    await sleep(Math.min(ms, firstDelayMs), undefined, options).catch(() => {})
    const hurried = new Promise<void>((resolve) => {
      if (this.#loss !== undefined) this.#loss.hurry = resolve
    })
    if (ms > firstDelayMs) await Promise.race([hurried, sleep(ms - firstDelayMs, undefined, options).catch(() => {})])
  }

  #tell(event: LinkEvent['event'], message: string): void {
    for (const listener of this.#listeners) listener({ event, message })
  }
}

const named: Readonly<Record<Transport['kind'], string>> = {
  upgrade: 'one socket',
  websocket: 'WebSockets',
}

/** The gateway's own word that it cannot be reached: it is about to stop, or something before it finds nobody. */
function isStopping(error: unknown): boolean {
  return isHoopError(error) && error.code === 'gateway-unreachable'
}

function soon(): Promise<void> {
  return sleep(firstDelayMs)
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The same promise for many, each with its own end of patience. */
function waitFor<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  patienceMs?: number,
  tooLate?: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(hoopError('cancelled', 'gave up waiting for the gateway'))
    const timer =
      patienceMs === undefined || tooLate === undefined ? undefined : setTimeout(() => reject(tooLate()), patienceMs)
    signal?.addEventListener('abort', giveUp, { once: true })
    if (signal?.aborted) giveUp()
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
    })
  })
}
