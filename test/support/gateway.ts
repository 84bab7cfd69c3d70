/**
 * A gateway for tests of the client side: the real server, audit and approvals, with people known by made-up tokens and
 * sessions that only exist on paper. Nothing can be connected to: `admit` refuses.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { createId } from '../../src/base/ids.ts'
import type { Session, TargetInfo, WellKnown } from '../../src/contract/api.ts'
import { hoopError } from '../../src/contract/error-codes.ts'
import type { Approvals, Question } from '../../src/gateway/approvals/approvals.ts'
import { createApprovals } from '../../src/gateway/approvals/create-approvals.ts'
import type { Audit } from '../../src/gateway/audit/audit.ts'
import { openAudit } from '../../src/gateway/audit/open.ts'
import { createRecordings, type RecordingStore } from '../../src/gateway/audit/recordings.ts'
import type { Caller } from '../../src/gateway/identity/caller.ts'
import type { CheckedIdentity } from '../../src/gateway/identity/identity.ts'
import { createMetrics } from '../../src/gateway/server/metrics.ts'
import { type RunningServer, startServer } from '../../src/gateway/server/server.ts'
import type { Sessions } from '../../src/gateway/sessions/sessions.ts'

export interface TestGateway {
  readonly url: string
  readonly audit: Audit
  readonly approvals: Approvals
  readonly recordings: RecordingStore
  /** Those that exist; tests add to it. */
  readonly sessions: Session[]
  readonly killed: { id: string; reason: string; by: string }[]
  /** The port goes silent, then answers again; what is kept stays. */
  stop(): Promise<void>
  start(): Promise<void>
}

export interface TestGatewayOptions {
  readonly identity?: CheckedIdentity
  readonly wellKnown?: Partial<WellKnown>
  readonly targets?: readonly TargetInfo[]
}

const day = 86_400_000
const person = (user: string, groups: string[], roles: Caller['roles']): Caller => ({
  user,
  subject: `sub-${user}`,
  groups,
  roles,
  expires: Date.now() + day,
})

/** Token → who. */
export const people: Readonly<Record<string, Caller>> = {
  'dev-token': person('dev@demo', ['engineering'], []),
  'dba-token': person('dba@demo', ['dba'], ['admin']),
  'second-token': person('second@demo', ['dba'], []),
  'auditor-token': person('auditor@demo', ['audit'], ['auditor']),
}

export const shop: TargetInfo = {
  name: 'pg-prod',
  protocol: 'postgres',
  labels: { env: 'prod' },
  description: 'the shop',
  whyNot: null,
  defaults: { database: 'shop', user: 'dev' },
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'hoop-gateway-'))
  const kept = { flush: false, clock: systemClock }
  const audit = await openAudit({ ...kept, path: join(folder, 'hoop.db'), log: quiet })
  const recordings = createRecordings({ ...kept, store: join(folder, 'hoop.db'), limit: () => 1024 ** 2 })
  const approvals = createApprovals({ audit, clock: systemClock })
  const sessions: Session[] = []
  const killed: TestGateway['killed'] = []
  let port = 0
  let server: RunningServer | undefined

  const start = async () => {
    server = await startServer({
      listen: { host: '127.0.0.1', port },
      identity: options.identity ?? { verify, health: async () => ({ ok: true }) },
      sessions: onPaper(sessions, killed, options.targets ?? [shop]),
      approvals,
      audit,
      recordings,
      wellKnown: () => ({
        issuer: 'http://127.0.0.1:1',
        clientId: 'hoop-cli',
        audience: null,
        scopes: ['openid'],
        version: '9.9.9',
        api: 'v1',
        ...options.wellKnown,
      }),
      version: '9.9.9',
      log: quiet,
      metrics: createMetrics(),
      beatMs: 200,
    })
    port = server.port
  }
  await start()
  onTestFinished(async () => {
    await approvals.close()
    await server?.close()
    await recordings.close()
    await audit.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    url: `http://127.0.0.1:${port}`,
    audit,
    approvals,
    recordings,
    sessions,
    killed,
    start,
    stop: async () => server?.close(),
  }
}

async function verify(token: string): Promise<Caller> {
  const caller = people[token]
  if (caller === undefined) throw hoopError('sign-in-needed', 'the token is not good')
  return caller
}

function onPaper(sessions: Session[], killed: TestGateway['killed'], targets: readonly TargetInfo[]): Sessions {
  const find = (id: string) => {
    const session = sessions.find((each) => each.id === id)
    if (session === undefined) throw hoopError('not-found', `no session ${id}`, { hint: 'see "hoop sessions"' })
    return session
  }
  return {
    targets: () => targets,
    async start(caller, wish) {
      const session = paperSession({ ...wish, user: caller.user })
      sessions.push(session)
      return session
    },
    list: async (_caller, { live, limit }) => sessions.filter(({ ended }) => !live || ended === null).slice(-limit),
    get: async (_caller, id) => find(id),
    end: async (_caller, id) => {
      find(id)
    },
    async kill(caller, id, reason) {
      find(id)
      killed.push({ id, reason, by: caller.user })
    },
    async whenEnded(_caller, id, signal) {
      find(id)
      await once(signal, 'abort')
      return undefined
    },
    async admit() {
      throw hoopError('not-found', 'these sessions exist on paper only')
    },
    async admitAlone() {
      throw hoopError('not-found', 'these sessions exist on paper only')
    },
    close: async () => undefined,
  }
}

export function paperSession(change: Partial<Session> = {}): Session {
  return {
    id: createId('ses'),
    user: 'dev@demo',
    agent: null,
    reason: null,
    targets: ['pg-prod'],
    started: new Date().toISOString(),
    ended: null,
    why: null,
    connections: 1,
    commands: 0,
    ...change,
  }
}

/** A held DROP TABLE, as the checkpoint asks. */
export function question(change: Partial<Question> = {}): Question {
  const text = 'DROP TABLE customers'
  const action = { verb: 'DROP TABLE', kind: 'ddl' as const, objects: ['public.customers'], unbounded: false }
  return {
    id: createId('apr'),
    digest: 'd'.repeat(64),
    session: 'ses_1',
    user: 'dev@demo',
    subject: 'sub-dev@demo',
    groups: ['engineering'],
    agent: null,
    reason: 'cleaning up',
    target: 'pg-prod',
    protocol: 'postgres',
    commands: [
      {
        id: 'cmd_1',
        asked: {
          protocol: 'postgres',
          verb: 'DROP TABLE',
          objects: ['public.customers'],
          text,
          parameters: [],
          actions: [action],
          facts: { kind: 'ddl', unbounded: false, dynamic: false, parsed: true, functions: [], reaches: [] },
        },
        decision: { verdict: 'hold', rule: 'hold-ddl', reason: 'destructive DDL', config: 'c' },
      },
    ],
    needs: [{ rule: 'hold-ddl', groups: ['dba'], count: 1 }],
    earlier: [],
    confirm: 'customers',
    expiresIn: 60_000,
    ...change,
  }
}
