/** A listener as http's relay is one, for tests of the target's end alone: keeps what it hears. */
import { once } from 'node:events'
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { systemClock } from '../../src/base/clock.ts'
import { Secret } from '../../src/base/secret.ts'
import type {
  AnswerHead,
  Failure,
  Fields,
  InFlight,
  Outgoing,
  RequestHead,
  Upstream,
} from '../../src/gateway/protocols/http/exchange.ts'
import { loginWith } from '../../src/gateway/protocols/http/login.ts'
import { createPools } from '../../src/gateway/protocols/http/pools.ts'
import { createTokens } from '../../src/gateway/protocols/http/tokens.ts'
import { openUpstream } from '../../src/gateway/protocols/http/upstream.ts'
import type { Credential, HttpTarget, Target } from '../../src/gateway/protocols/protocol.ts'
import { credentialOf } from './credentials.ts'
import { permitFor } from './permits.ts'

export interface Heard {
  head?: AnswerHead
  readonly interim: AnswerHead[]
  readonly parts: Buffer[]
  trailers?: Fields
  socket?: Duplex
  failure?: Failure
  /** Resolves when the exchange is over: its end, its failure, or the upgrade. */
  readonly over: Promise<void>
  /** Resolves with the head. */
  readonly headed: Promise<void>
  readonly flight: InFlight
  /** What `data` says. */
  takes: boolean
}

export type Request = Partial<RequestHead> & { readonly content?: Outgoing['body']; readonly host?: string }

export function send(upstream: Upstream, { content, host = '127.0.0.1:4711', ...head }: Request = {}): Heard {
  const over = Promise.withResolvers<void>()
  const headed = Promise.withResolvers<void>()
  const known = content instanceof Uint8Array ? { bytes: content.length } : ('chunked' as const)
  const whole: RequestHead = {
    method: 'GET',
    target: '/',
    fields: [],
    body: content === undefined ? 'none' : known,
    upgrade: undefined,
    ...head,
  }
  const heard: { -readonly [K in keyof Heard]: Heard[K] } = {
    interim: [],
    parts: [],
    over: over.promise,
    headed: headed.promise,
    takes: true,
    // Set below; a listener may be called before dispatch has returned.
    flight: { resume: () => undefined, abort: () => undefined },
  }
  heard.flight = upstream.dispatch({ head: whole, body: content, host }, permitFor('cmd_1'), {
    interim: (head) => heard.interim.push(head),
    head(head) {
      heard.head = head
      headed.resolve()
    },
    data(bytes) {
      heard.parts.push(bytes)
      return heard.takes
    },
    end(trailers) {
      heard.trailers = trailers
      over.resolve()
    },
    upgraded(head, socket) {
      heard.head = head
      heard.socket = socket
      over.resolve()
    },
    failed(failure) {
      heard.failure = failure
      over.resolve()
    },
  })
  return heard
}

/** The whole exchange. */
export async function ask(upstream: Upstream, request: Request = {}): Promise<Heard & { readonly text: string }> {
  const heard = send(upstream, request)
  await heard.over
  return Object.assign(heard, { text: Buffer.concat(heard.parts).toString('latin1') })
}

export function field(heard: Heard, name: string): string | undefined {
  return heard.head?.fields.find(([given]) => given.toLowerCase() === name)?.[1]
}

export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

export function targetAt(port: number, given: Partial<Target> = {}): Target {
  return {
    name: 'api-test',
    protocol: 'http',
    host: '127.0.0.1',
    port,
    tls: { mode: 'disable' },
    user: '',
    databases: [],
    http: { login: 'none', paths: [] },
    ...given,
  }
}

export function httpLogin(login: HttpTarget['login'], given: Partial<HttpTarget> = {}): Pick<Target, 'http'> {
  return { http: { login, paths: [], ...given } }
}

export interface Ends {
  readonly secret?: string
  readonly renew?: Credential['renew']
  /** Monotonic time, for what is cached. */
  readonly elapsed?: () => number
}

/** Everything between a listener and a target as it is put together in the gateway; pools and tokens shared in one world. */
export function createWorld(connectTimeoutMs = 2000, elapsed = systemClock.elapsed) {
  const pools = createPools(connectTimeoutMs)
  const tokens = createTokens({ now: systemClock.now, elapsed }, connectTimeoutMs)
  return {
    open(target: Target, { secret, renew }: Ends = {}): Upstream {
      const credential = credentialOf(secret === undefined ? undefined : new Secret(secret))
      const whole: Credential = renew === undefined ? credential : { ...credential, renew }
      return openUpstream(pools, {
        target,
        bearer: whole.bearer,
        login: loginWith({ tokens, elapsed }, target, whole),
      })
    },
  }
}
