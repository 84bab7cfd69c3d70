/**
 * The real conversation between a client and a real PostgreSQL, judged by a given rule set: greeting, relay, statement
 * reader, checkpoint and policy as the gateway has them. Reviewers say no at once.
 */
import { createMemoryRecordings } from '../../../../support/recordings.ts'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import pg from 'pg'
import { systemClock } from '../../../../../src/base/clock.ts'
import { Secret } from '../../../../../src/base/secret.ts'
import type { Decision } from '../../../../../src/contract/record.ts'
import type { Postgres } from '../../../../../src/demo/postgres.ts'
import { createCheckpoint } from '../../../../../src/gateway/checkpoint.ts'
import { createHistory } from '../../../../../src/gateway/checkpoint/history.ts'
import { compilePolicy } from '../../../../../src/gateway/policy/decide.ts'
import { compileMasks, compileRecordMasks } from '../../../../../src/gateway/policy/masks.ts'
import { createPostgres } from '../../../../../src/gateway/protocols/postgres/index.ts'
import { config, person } from '../../../../support/commands.ts'
import { memoryAudit } from '../../../../support/memory-audit.ts'
import { credentialOf } from '../../../../support/credentials.ts'

export interface Gate {
  /** A client behind the gate; what it is refused is in the decisions. */
  connect(settings?: Pick<pg.ClientConfig, 'options'>): Promise<pg.Client>
  /** Since the last call. */
  decisions(): readonly Decision[]
  close(): Promise<void>
}

/** Reads pass, bounded writes pass, definitions and unbounded writes wait, what reaches outside is denied. */
export const rules = [
  { name: 'reads', effect: 'allow', match: { kinds: ['read'] } },
  { name: 'bounded-writes', effect: 'allow', match: { kinds: ['write'], unbounded: false } },
  { name: 'unbounded', effect: 'hold', match: { unbounded: true }, approvers: { groups: ['dba'] } },
  { name: 'definitions', effect: 'hold', match: { kinds: ['ddl'] }, approvers: { groups: ['dba'] } },
  { name: 'outside', effect: 'deny', match: { reaches: ['file', 'program', 'network', 'server'] } },
]

/** Nothing but reading: what this lets pass must not change anything for anybody. */
export const onlyReads = [{ name: 'reads', effect: 'allow', match: { kinds: ['read'] } }]

export async function startGate(db: Postgres, rules: readonly unknown[]): Promise<Gate> {
  const protocol = createPostgres({ clock: systemClock, maxStatementBytes: 1024 * 1024, connectTimeoutMs: 10_000 })
  const audit = memoryAudit()
  const dev = person('dev', 'engineering')
  const now = config({ rules, masks: [] })
  const policy = compilePolicy(now)
  const target = policy.target('pg-prod')
  if (target === undefined) throw new Error('no target')
  const inForce = () => ({
    policy,
    masks: compileMasks([], { target, person: dev, agent: null }, new Uint8Array(32)),
    recordMasks: compileRecordMasks([], target, new Uint8Array(32)),
    sampleRows: 0,
    sampleBytes: 0,
  })
  const end = new AbortController()
  const sockets = new Set<Socket>()

  async function serve(socket: Socket): Promise<void> {
    const client = await protocol.greet(socket, end.signal)
    const upstream = await protocol.connect(
      {
        name: 'pg-prod',
        protocol: 'postgres',
        host: db.host,
        port: db.port,
        tls: { mode: 'disable' },
        user: db.user,
        databases: [],
      },
      credentialOf(new Secret(db.password), { user: dev.user }),
      client,
      end.signal,
    )
    const checkpoint = createCheckpoint({
      asker: { session: 'ses_1', connection: 'con_1', target: 'pg-prod', person: dev, agent: null, reason: null },
      inForce,
      audit,
      approvals: { ask: async () => ({ end: 'denied', why: 'denied by dba: not today' }) },
      history: createHistory(),
      metrics: { judged: () => undefined },
      clock: systemClock,
      signal: end.signal,
      onDefect: (what, error) => console.error(what, error),
    })
    await protocol.relay(client, upstream, { checkpoint, recordings: createMemoryRecordings(), signal: end.signal })
    checkpoint.close()
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    serve(socket).catch((error: unknown) => {
      if (!end.signal.aborted) console.error(error)
      socket.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')

  return {
    async connect(settings = {}) {
      const client = new pg.Client({
        host: '127.0.0.1',
        port: address.port,
        user: 'dev',
        database: db.database,
        ...settings,
      })
      client.on('error', () => undefined)
      await client.connect()
      return client
    },
    decisions() {
      const decided = audit.of('command').map(({ decision }) => decision)
      audit.records.length = 0
      return decided
    },
    async close() {
      end.abort()
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
