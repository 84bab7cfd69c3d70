/**
 * The real server with a real issuer before sessions that only exist here: what a link says is handled by `run`. For tests
 * of the road between a local port and `Sessions.admit`.
 */
import { EventEmitter, once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { CreateSession, Session, TargetInfo } from '../../src/contract/api.ts'
import { linkProtocol } from '../../src/contract/link.ts'
import { hoopError } from '../../src/contract/error-codes.ts'
import type { Approvals } from '../../src/gateway/approvals/approvals.ts'
import type { Audit } from '../../src/gateway/audit/audit.ts'
import type { Caller } from '../../src/gateway/identity/caller.ts'
import { createIdentity } from '../../src/gateway/identity/identity.ts'
import { createMetrics } from '../../src/gateway/server/metrics.ts'
import type { KeptRecordings } from '../../src/gateway/audit/recordings.ts'
import { type RunningServer, startServer } from '../../src/gateway/server/server.ts'
import type { Sessions } from '../../src/gateway/sessions/sessions.ts'
import { createGatewayClient } from '../../src/gateway-client/client.ts'
import { givenToken } from '../../src/gateway-client/token-source.ts'
import type { TunnelClient } from '../../src/tunnel/tunnel.ts'
import { audience, startTestIssuer, type TestIssuer } from './test-issuer.ts'

export interface DoorOptions {
  readonly run?: (stream: Duplex, target: string) => Promise<void>
  readonly tls?: { cert: string; key: string }
  readonly port?: number
  readonly names?: string[]
  readonly issuer?: TestIssuer
  readonly audit?: Partial<Audit>
  readonly approvals?: Partial<Approvals>
  readonly recordings?: KeptRecordings
  readonly beatMs?: number
}

export interface Door {
  readonly url: string
  readonly port: number
  readonly issuer: TestIssuer
  readonly server: RunningServer
  readonly sessions: FakeSessions
  /** What went to the log, one line each. */
  readonly log: string[]
  token(): Promise<string>
  close(): Promise<void>
}

export interface FakeSessions extends Sessions {
  readonly all: Map<string, Session>
  /** Sessions that an admin ended. */
  readonly killed: Set<string>
  readonly ended: string[]
  /** Sessions whose end is waited for. */
  readonly watched: Set<string>
}

export async function startDoor(options: DoorOptions = {}): Promise<Door> {
  const issuer = options.issuer ?? (await startTestIssuer())
  const identity = createIdentity(() => ({
    identity: {
      issuer: issuer.url,
      clientId: 'hoop-cli',
      audience,
      scopes: [],
      userClaim: 'email',
      groupsClaim: 'groups',
      algorithms: ['ES256'],
    },
    roles: { admin: { groups: ['sre'] }, auditor: { groups: ['audit'] } },
  }))
  const sessions = fakeSessions(options.run ?? echo)
  const log: string[] = []
  const write = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`)
  const server = await startServer({
    listen: { host: '127.0.0.1', port: options.port ?? 0, tls: options.tls, names: options.names },
    identity,
    sessions,
    approvals: refusing<Approvals>('approvals', options.approvals),
    audit: refusing<Audit>('audit', { health: () => ({ ok: true }), note: () => {}, ...options.audit }),
    recordings: refusing<KeptRecordings>('recordings', options.recordings),
    wellKnown: () => ({ issuer: issuer.url, clientId: 'hoop-cli', audience, scopes: [], version: '1.2.3', api: 'v1' }),
    version: '1.2.3',
    log: { info: write, warn: write, error: write },
    metrics: createMetrics(),
    ...(options.beatMs === undefined ? {} : { beatMs: options.beatMs }),
  })
  return {
    url: server.url,
    port: server.port,
    issuer,
    server,
    sessions,
    log,
    token: () => issuer.token(),
    async close() {
      await server.close()
      if (options.issuer === undefined) await issuer.stop()
    },
  }
}

/** Says what it hears, and ends when it has heard the end. */
export async function echo(stream: Duplex): Promise<void> {
  for await (const chunk of stream.iterator({ destroyOnReturn: false }))
    if (!stream.write(chunk)) await once(stream, 'drain')
  stream.end()
  await once(stream, 'finish')
}

function fakeSessions(run: (stream: Duplex, target: string) => Promise<void>): FakeSessions {
  const all = new Map<string, Session>()
  const killed = new Set<string>()
  const ended: string[] = []
  const kills = new EventEmitter()
  const watched = new Set<string>()
  const target = (name: string): TargetInfo => ({
    name,
    protocol: 'postgres',
    labels: {},
    description: null,
    whyNot: name === 'pg-secret' ? 'only for group dba' : null,
    defaults: { database: 'shop', user: 'app' },
  })
  const own = (caller: Caller, id: string): Session => {
    const session = all.get(id)
    if (session === undefined) throw hoopError('not-found', `there is no session ${id}`)
    if (session.user !== caller.user && caller.roles.length === 0)
      throw hoopError('not-allowed', `session ${id} is somebody else's`)
    return session
  }
  async function start(caller: Caller, wish: CreateSession): Promise<Session> {
    const session: Session = {
      id: `ses_${Math.random().toString(36).slice(2)}`,
      user: caller.user,
      agent: wish.agent,
      reason: wish.reason,
      targets: wish.targets,
      started: new Date().toISOString(),
      ended: null,
      why: null,
      connections: 0,
      commands: 0,
    }
    all.set(session.id, session)
    return session
  }
  return {
    all,
    killed,
    ended,
    watched,
    targets: () => ['pg-prod', 'pg-stage', 'pg-secret'].map(target),
    start,
    list: async (caller) => [...all.values()].filter((session) => session.user === caller.user),
    get: async (caller, id) => own(caller, id),
    end: async (caller, id) => void ended.push(own(caller, id).id),
    async kill(caller, id) {
      killed.add(own(caller, id).id)
      kills.emit(id)
    },
    async whenEnded(caller, id, signal) {
      watched.add(own(caller, id).id)
      if (!killed.has(id)) await once(kills, id, { signal })
      return { code: 'killed', message: enough(id), next: 'ask them' }
    },
    async admit(caller, id, name) {
      const session = own(caller, id)
      if (killed.has(id)) throw hoopError('killed', enough(id))
      if (!session.targets.includes(name)) throw hoopError('not-found', `the session has no target "${name}"`)
      return { run: (stream) => run(stream, name).catch(() => {}), decline: () => Promise.resolve() }
    },
    async admitAlone(caller, name, wish) {
      const { id } = await start(caller, { ...wish, targets: [name] })
      const over = async () => void ended.push(id)
      return {
        run: (stream) =>
          run(stream, name)
            .catch(() => {})
            .finally(over),
        decline: over,
      }
    },
    close: async () => {},
  }
}

function enough(id: string): string {
  return `session ${id} was killed by root@acme: enough`
}

/** An object whose methods throw unless given: a test that needs more has to say so. */
function refusing<T extends object>(name: string, given: Partial<T> = {}): T {
  return new Proxy(given, {
    get(target, property) {
      if (property in target) return Reflect.get(target, property)
      throw new Error(`this test has no ${name}.${String(property)}`)
    },
  }) as T
}

/** The API as a tunnel uses it, through real requests. */
export function tunnelClient(door: () => Door): TunnelClient {
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${door().url}${path}`, {
      method,
      headers: { authorization: `Bearer ${await door().token()}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw hoopError('gateway-error', text)
    return text === '' ? undefined : JSON.parse(text)
  }
  return {
    targets: () => ask('GET', '/v1/targets'),
    startSession: (wish) => ask('POST', '/v1/sessions', wish),
    session: (id) => ask('GET', `/v1/sessions/${id}`),
    async sessionEnd(id, { signal }) {
      const client = createGatewayClient({ url: door().url, token: givenToken(await door().token()) })
      signal.addEventListener('abort', () => void client.close(), { once: true })
      return client.sessionEnd(id, { signal, firstWaitMs: 50 })
    },
    endSession: (id) => ask('POST', `/v1/sessions/${id}/end`, {}),
  }
}

export interface Front {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** A proxy that passes HTTP/1.1 and WebSockets only: another upgrade gets the answer that such proxies give. */
export async function startHttp1Front(to: number): Promise<Front> {
  const sockets = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    sockets.add(client)
    client.on('error', () => {})
    client.once('data', (first: Buffer) => {
      if (first.includes(linkProtocol)) {
        client.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
        return
      }
      const upstream = connect({ host: '127.0.0.1', port: to, allowHalfOpen: true })
      sockets.add(upstream)
      upstream.on('error', () => client.destroy())
      upstream.write(first)
      client.pipe(upstream).pipe(client)
      client.on('close', () => upstream.destroy())
      upstream.on('close', () => client.destroy())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
