/** One way to carry links: what link.ts needs of an upgraded socket and of WebSockets. */
import type { Duplex } from 'node:stream'
import type { LoneSession } from '../contract/link.ts'

export interface Transport {
  readonly kind: 'upgrade' | 'websocket'
  /** Opens one stream. Throws the gateway's refusal, `TransportLost`, or `TransportUnfit`. */
  open(request: OpenRequest): Promise<Duplex>
  /** Resolves, with the reason, once the gateway cannot be reached this way any more. */
  readonly lost: Promise<string>
  /** Resolves once no stream of it can be open any more; that may be long after it was lost to new ones. */
  readonly over: Promise<void>
  /** Ends all streams. */
  close(): void
}

export interface OpenRequest {
  readonly target: string
  /** The id of one there is, or what one shall be started with. */
  readonly session: string | LoneSession
  readonly token: string
  readonly signal: AbortSignal | undefined
}

/** Something between here and the gateway does not pass this on; another transport may work. */
export class TransportUnfit extends Error {
  override readonly name = 'TransportUnfit'
}

/** The way broke before the stream was open: it may be tried again when the way is back. */
export class TransportLost extends Error {
  override readonly name = 'TransportLost'
}
