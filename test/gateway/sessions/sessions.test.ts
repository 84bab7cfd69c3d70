import { createMemoryRecordings } from '../../support/recordings.ts'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Duplex, duplexPair } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { Secret } from '../../../src/base/secret.ts'
import { hoopError } from '../../../src/contract/error-codes.ts'
import { type AuditRecord, type RecordDraft, recordSchema } from '../../../src/contract/record.ts'
import { createApprovals } from '../../../src/gateway/approvals/create-approvals.ts'
import type { Audit } from '../../../src/gateway/audit/audit.ts'
import { openAudit } from '../../../src/gateway/audit/open.ts'
import type { Loaded } from '../../../src/gateway/config/load.ts'
import type { OpenCredential } from '../../../src/gateway/credentials/open-credential.ts'
import type { Caller } from '../../../src/gateway/identity/caller.ts'
import { compilePolicy } from '../../../src/gateway/policy/decide.ts'
import { createSessions } from '../../../src/gateway/sessions/create-sessions.ts'
import type { Sessions } from '../../../src/gateway/sessions/sessions.ts'
import { config, person, target } from '../../support/commands.ts'
import { lineProtocol, startLineTarget } from '../../support/line-protocol.ts'

const caller = (name: string, groups: string[], roles: Caller['roles'] = []): Caller => ({
  ...person(name, ...groups),
  roles,
  expires: Number.MAX_SAFE_INTEGER,
})
const dev = caller('dev', ['engineering'])
const other = caller('other', ['engineering'])
const admin = caller('ana', ['dba'], ['admin'])
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
const metrics = { judged: () => undefined, flushed: () => undefined, watch: () => undefined }
const rules = [
  { name: 'all', effect: 'allow', match: { targets: ['pg-*'] } },
  { name: 'no', effect: 'deny', match: { verbs: ['halt'] } },
  { name: 'ask', effect: 'hold', match: { verbs: ['drop'] }, approvers: { groups: ['dba'] } },
]

let folder: string
let lines: Awaited<ReturnType<typeof startLineTarget>>
let audit: Audit
let approvals: ReturnType<typeof createApprovals>
let sessions: Sessions
let loaded: Loaded
let now: number
let opened: (string | undefined)[]
let openCredential: OpenCredential
const clock: Clock = { now: () => now, elapsed: () => performance.now() }

function load(part: Record<string, unknown> = {}): Loaded {
  const at = { host: '127.0.0.1', port: lines.port }
  const made = config({
    rules,
    targets: [
      target('pg-prod', {}, { ...at, secret: 'env://PW', databases: ['shop'], description: 'the shop' }),
      target('pg-dba', {}, { ...at, access: { groups: ['dba'] } }),
      target('closed', {}, at),
      target('pg-dead', {}, { host: '127.0.0.1', port: 1 }),
    ],
    ...part,
  })
  const targets = new Map(
    made.targets.map(({ name, protocol, host, port, user, databases }) => [
      name,
      { name, protocol, host, port, user, databases, tls: { mode: 'disable' as const } },
    ]),
  )
  return { config: made, policy: compilePolicy(made), targets, tls: undefined, warnings: [] }
}

async function start() {
  audit = await openAudit({ path: join(folder, 'audit.sqlite'), flush: false, clock, log: quiet })
  approvals = createApprovals({ audit, clock })
  sessions = await createSessions({
    current: () => loaded,
    protocols: { postgres: lineProtocol, ssh: lineProtocol, http: lineProtocol, kubernetes: lineProtocol },
    recordingsOf: () => createMemoryRecordings(),
    audit,
    approvals,
    openCredential: (...args) => openCredential(...args),
    metrics,
    clock,
    log: quiet,
    hashKey: new Uint8Array(32),
  })
}
async function stop() {
  await approvals.close()
  await sessions.close()
  await audit.close()
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hoop-sessions-'))
  lines = await startLineTarget()
  now = Date.parse('2026-03-01T10:00:00Z')
  opened = []
  openCredential = async (reference) => {
    opened.push(reference)
    return new Secret('s3cret')
  }
  loaded = load()
  await start()
})
afterEach(async () => {
  vi.useRealTimers()
  await stop()
  await lines.stop()
  await rm(folder, { recursive: true })
})

const sessionStart = (session: string, { user, subject, groups }: Caller): RecordDraft => ({
  type: 'session.start',
  session,
  user,
  subject,
  groups,
  agent: null,
  target: null,
  connection: null,
  reason: null,
  targets: ['pg-prod'],
})
const wish = (...targets: string[]) => ({ targets, reason: 'ticket 7', agent: null })

interface Conversation {
  readonly socket: Duplex
  readonly done: Promise<void>
  say(line: string): void
  hear(): Promise<string | undefined>
}

/** Opens a connection as the link would, and says hello. */
async function connect(session: string, name = 'pg-prod', who = dev): Promise<Conversation> {
  const [socket, far] = duplexPair()
  const heard: string[] = []
  const reader = createInterface({ input: socket }).on('line', (line) => heard.push(line))
  const done = (await sessions.admit(who, session, name)).run(far)
  socket.write('hello psql\n')
  return {
    socket,
    done,
    say: (line) => socket.write(`${line}\n`),
    async hear() {
      if (heard.length === 0) await once(reader, 'line')
      return heard.shift()
    },
  }
}

async function records(): Promise<AuditRecord[]> {
  const found: AuditRecord[] = []
  for await (const line of audit.read({})) found.push(recordSchema.parse(JSON.parse(line)))
  return found
}
/** Outcomes and ends are handed to the audit, which writes them in its own time. */
async function recorded(type: AuditRecord['type']): Promise<AuditRecord> {
  return await vi.waitFor(async () => {
    const found = (await records()).findLast((record) => record.type === type)
    if (found === undefined) throw new Error(`no ${type} was recorded`)
    return found
  })
}
const story = async () => (await records()).map((record) => (record.type === 'admin' ? record.action : record.type))

describe('opening', () => {
  it('writes down who, why and where before it answers', async () => {
    const session = await sessions.start(dev, { ...wish('pg-prod', 'pg-prod'), agent: 'devin' })
    expect(session).toMatchObject({
      user: 'dev@demo',
      agent: 'devin',
      reason: 'ticket 7',
      targets: ['pg-prod'],
      ended: null,
    })
    expect(await records()).toMatchObject([
      { type: 'session.start', session: session.id, groups: ['engineering'], agent: 'devin', targets: ['pg-prod'] },
    ])
  })

  it.each([
    ['a target that does not exist', wish('pg-prd'), 'not-found'],
    ['a target of others', wish('pg-prod', 'pg-dba'), 'not-allowed'],
    ['a target that no rule opens', wish('closed'), 'not-allowed'],
    ['an agent who takes the name of nobody', { ...wish('pg-prod'), agent: 'none' }, 'usage'],
  ])('refuses %s', async (_, given, code) => {
    await expect(sessions.start(dev, given)).rejects.toMatchObject({ code })
    expect(await records()).toEqual([])
  })

  it('shows every target, and why not', () => {
    expect(sessions.targets(dev)).toMatchObject([
      { name: 'pg-prod', whyNot: null, description: 'the shop', defaults: { database: 'shop', user: 'app' } },
      { name: 'pg-dba', whyNot: '"pg-dba" is for dba' },
      { name: 'closed', whyNot: expect.stringContaining('no rule') },
      { name: 'pg-dead', whyNot: null },
    ])
  })
})

describe('a connection', () => {
  it('goes greet, record, credential, connect, relay, and is over when the client ends it', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const client = await connect(id)
    expect(await client.hear()).toBe('ready')
    client.say('get a')
    expect(await client.hear()).toBe('ok get a')
    client.socket.end()
    await client.done
    expect(lines.heard).toEqual(['login s3cret', 'get a'])
    expect(opened).toEqual(['env://PW'])
    await recorded('connection.end')
    expect(await story()).toEqual(['session.start', 'connection.start', 'command', 'outcome', 'connection.end'])
    expect((await records())[1]).toMatchObject({ detail: 'client psql', target: 'pg-prod', session: id })
    expect(JSON.stringify(await records())).not.toContain('s3cret')
  })

  it('is not admitted into the session of another, nor beyond its targets', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    await expect(sessions.admit(other, id, 'pg-prod')).rejects.toMatchObject({ code: 'not-found' })
    await expect(sessions.admit(admin, id, 'pg-prod')).rejects.toMatchObject({ code: 'not-found' })
    await expect(sessions.admit(dev, id, 'pg-dead')).rejects.toMatchObject({ code: 'not-allowed' })
    await expect(sessions.admit(dev, 'ses_none', 'pg-prod')).rejects.toMatchObject({ code: 'not-found' })
  })

  it('is refused when the person lost access after the session was opened', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const moved = { ...dev, groups: ['sales'] }
    await expect(sessions.admit(moved, id, 'pg-prod')).rejects.toMatchObject({ code: 'not-allowed' })
  })

  it('opens no credential when a reload took the access away while the client was greeting', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const admission = await sessions.admit(dev, id, 'pg-prod')
    loaded = load({ rules: [] })
    const [socket, far] = duplexPair()
    const done = admission.run(far)
    socket.end('hello psql\n')
    await done
    expect(String(socket.read())).toBe('! not-allowed\n')
    expect(opened).toEqual([])
  })

  it('is not made when it cannot be written down', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const append = vi.spyOn(audit, 'append').mockRejectedValue(hoopError('audit-unavailable', 'the disk is full'))
    const client = await connect(id)
    expect(await client.hear()).toBe('! audit-unavailable')
    await client.done
    append.mockRestore()
    expect(opened).toEqual([])
    expect(lines.heard).toEqual([])
  })

  it('that is turned away for its first words is recorded', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const [socket, far] = duplexPair()
    socket.write('let me in\n')
    await (await sessions.admit(dev, id, 'pg-prod')).run(far)
    expect(await recorded('connection.end')).toMatchObject({ why: 'the client did not say hello' })
    expect(await story()).toEqual(['session.start', 'connection.start', 'connection.end'])
  })

  it('that wants what the target does not open is told so, which is recorded', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const [socket, far] = duplexPair()
    socket.write('hello elsewhere\n')
    await (await sessions.admit(dev, id, 'pg-prod')).run(far)
    expect(String(socket.read())).toBe('! not-allowed\n')
    expect(await recorded('connection.end')).toMatchObject({ why: 'target "pg-prod" does not open elsewhere' })
  })

  it('to a dead target ends with a refusal, which is recorded', async () => {
    const { id } = await sessions.start(dev, wish('pg-dead'))
    const client = await connect(id, 'pg-dead')
    expect(await client.hear()).toBe('! target-unreachable')
    await client.done
    expect(await recorded('connection.end')).toMatchObject({ why: 'cannot reach "pg-dead"' })
  })

  it('whose credential cannot be opened is refused', async () => {
    openCredential = () =>
      Promise.reject(hoopError('target-refused', 'the gateway cannot open the credential env://PW'))
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const client = await connect(id)
    expect(await client.hear()).toBe('! target-refused')
    await client.done
    expect(lines.heard).toEqual([])
  })

  it('beyond the limit is refused', async () => {
    loaded = load({ limits: { connections: 1 } })
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const client = await connect(id)
    await client.hear()
    expect((await sessions.get(dev, id)).connections).toBe(1)
    await expect(sessions.admit(dev, id, 'pg-prod')).rejects.toMatchObject({ code: 'conflict' })
    client.socket.end()
    await client.done
    expect((await sessions.get(dev, id)).connections).toBe(0)
  })

  it('ends when it is older than the configuration allows, and the session goes on', async () => {
    loaded = load({ limits: { connection: '300ms' } })
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const client = await connect(id)
    await client.hear()
    expect(await client.hear()).toBe('! ended by the gateway')
    await client.done
    expect(await recorded('connection.end')).toMatchObject({ why: expect.stringContaining('limits.connection') })
    const again = await connect(id)
    expect(await again.hear()).toBe('ready')
    again.socket.end()
    await again.done
  })

  it('follows a reload: what was allowed is denied from the next command on', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const client = await connect(id)
    await client.hear()
    client.say('get a')
    expect(await client.hear()).toBe('ok get a')
    loaded = load({ rules: [...rules, { name: 'freeze', effect: 'deny' }] })
    client.say('get a')
    expect(await client.hear()).toBe('! denied')
    expect(lines.heard).toEqual(['login s3cret', 'get a'])
    client.socket.end()
    await client.done
  })

  it('whose answer never came leaves its command settled as unknown', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const client = await connect(id)
    await client.hear()
    client.say('get stall')
    await vi.waitFor(() => expect(lines.heard).toContain('get stall'))
    await sessions.kill(admin, id, 'enough')
    await client.done
    expect(await recorded('outcome')).toMatchObject({ outcome: { status: 'unknown' } })
  })
})

describe('a held command', () => {
  it('waits in its connection and runs when a reviewer agrees', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const client = await connect(id)
    await client.hear()
    client.say('drop t')
    const approval = (await client.hear())?.split(' ')[2] ?? ''
    const { digest } = approvals.get(admin, approval)
    expect(lines.heard).not.toContain('drop t')
    await approvals.decide(admin, approval, { decision: 'approve', reason: null, digest })
    expect(await client.hear()).toBe('ok drop t')
    client.socket.end()
    await client.done
  })

  it('is cancelled by a kill of its session', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const client = await connect(id)
    await client.hear()
    client.say('drop t')
    await client.hear()
    await sessions.kill(admin, id, 'runaway agent')
    await client.done
    expect(approvals.list(admin, 'pending')).toEqual([])
    expect(lines.heard).not.toContain('drop t')
  })
})

describe('the end', () => {
  it('by kill is at once, on both sides, recorded with who and why', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const client = await connect(id)
    await client.hear()
    await sessions.kill(admin, id, 'runaway agent')
    expect(await client.hear()).toBe('! ended by the gateway')
    await client.done
    expect((await records()).slice(2)).toMatchObject([
      { type: 'connection.end', why: 'killed by ana@demo: runaway agent' },
      { type: 'admin', action: 'session.kill', user: 'ana@demo', session: id },
      { type: 'session.end', user: 'dev@demo', why: 'killed by ana@demo: runaway agent' },
    ])
    await expect(sessions.admit(dev, id, 'pg-prod')).rejects.toMatchObject({ code: 'killed' })
    expect(await sessions.get(dev, id)).toMatchObject({
      ended: expect.any(String),
      why: expect.stringContaining('killed'),
    })
  })

  it('by kill is for its owner and admins', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    await expect(sessions.kill(other, id, 'x')).rejects.toMatchObject({ code: 'not-found' })
    const auditor = caller('aud', ['audit'], ['auditor'])
    await expect(sessions.kill(auditor, id, 'x')).rejects.toMatchObject({ code: 'not-allowed' })
    await sessions.kill(dev, id, 'mine')
    await expect(sessions.kill(dev, id, 'again')).rejects.toMatchObject({ code: 'conflict' })
  })

  it('by kill happens even if it cannot be written down now', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const client = await connect(id)
    await client.hear()
    vi.spyOn(audit, 'append').mockRejectedValue(hoopError('audit-unavailable', 'the disk is full'))
    await expect(sessions.kill(admin, id, 'now')).rejects.toMatchObject({ code: 'audit-unavailable' })
    await client.done
    vi.restoreAllMocks()
    await vi.waitFor(async () => expect(await story()).toContain('session.kill'))
    expect(await story()).toContain('session.end')
  })

  it('by its owner may be said twice', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    await expect(sessions.end(admin, id)).rejects.toMatchObject({ code: 'not-allowed' })
    await sessions.end(dev, id)
    await sessions.end(dev, id)
    expect(await story()).toEqual(['session.start', 'session.end'])
    await expect(sessions.admit(dev, id, 'pg-prod')).rejects.toMatchObject({ code: 'conflict' })
  })

  it('comes by itself when nobody was heard of for the grace time, and not before', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    await stop()
    await start()
    const { id } = await sessions.start(dev, wish('pg-prod'))
    now += 20 * 3_600_000
    await sessions.get(dev, id)
    now += 20 * 3_600_000
    vi.advanceTimersByTime(60_000)
    expect(await story()).toEqual(['session.start'])
    now += 5 * 3_600_000
    vi.advanceTimersByTime(60_000)
    await vi.waitFor(async () => expect(await story()).toEqual(['session.start', 'session.end']))
  })
})

describe('waiting for the end', () => {
  const never = new AbortController().signal

  it('tells of a kill at once, and again whoever asks later', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const waiting = sessions.whenEnded(dev, id, never)
    await sessions.kill(admin, id, 'enough')
    const told = { code: 'killed', message: 'killed by ana@demo: enough' }
    expect(await waiting).toMatchObject(told)
    expect(await sessions.whenEnded(dev, id, never)).toMatchObject(told)
  })

  it('is for its owner', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    await expect(sessions.whenEnded(other, id, never)).rejects.toMatchObject({ code: 'not-found' })
    await expect(sessions.whenEnded(admin, id, never)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('says nothing when the one who waits leaves, or the gateway stops', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const leave = new AbortController()
    const waiting = sessions.whenEnded(dev, id, leave.signal)
    const staying = sessions.whenEnded(dev, id, never)
    leave.abort()
    expect(await waiting).toBeUndefined()
    await sessions.close()
    expect(await staying).toBeUndefined()
  })

  it('keeps the session from ending by itself', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    await stop()
    await start()
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const leave = new AbortController()
    const waiting = sessions.whenEnded(dev, id, leave.signal)
    // The audit's reader answers before the wait begins.
    await sessions.get(dev, id)
    now += 50 * 3_600_000
    vi.advanceTimersByTime(60_000)
    leave.abort()
    expect(await waiting).toBeUndefined()
    vi.advanceTimersByTime(60_000)
    expect(await story()).toEqual(['session.start'])
  })
})

describe('looking', () => {
  it('shows own sessions, and all to admins and auditors', async () => {
    const mine = await sessions.start(dev, wish('pg-prod'))
    const theirs = await sessions.start(other, wish('pg-prod'))
    await sessions.end(other, theirs.id)
    const ids = async (who: Caller, live: boolean) =>
      (await sessions.list(who, { live, limit: 10 })).map(({ id }) => id)
    expect(await ids(dev, false)).toEqual([mine.id])
    expect(await ids(admin, false)).toEqual([mine.id, theirs.id])
    expect(await ids(admin, true)).toEqual([mine.id])
    await expect(sessions.get(other, mine.id)).rejects.toMatchObject({ code: 'not-found' })
    expect(await sessions.get(admin, mine.id)).toMatchObject({ id: mine.id })
  })

  it('counts the commands', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const client = await connect(id)
    await client.hear()
    client.say('get a')
    await client.hear()
    client.say('halt a')
    await client.hear()
    expect((await sessions.get(dev, id)).commands).toBe(2)
    client.socket.end()
    await client.done
  })
})

describe('a gateway restart', () => {
  it('ends connections with a word and lets the session go on', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    const client = await connect(id)
    await client.hear()
    await stop()
    expect(await client.hear()).toBe('! ended by the gateway')
    await client.done
    await start()
    expect(await sessions.list(dev, { live: true, limit: 10 })).toMatchObject([{ id, reason: 'ticket 7' }])
    const again = await connect(id)
    expect(await again.hear()).toBe('ready')
    again.socket.end()
    await again.done
    expect(await story()).not.toContain('session.end')
    expect((await records())[2]).toMatchObject({ type: 'connection.end', why: 'the gateway is stopping' })
  })

  it('does not bring back what had ended', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    await sessions.kill(admin, id, 'enough')
    const own = await sessions.start(dev, wish('pg-prod'))
    await sessions.end(dev, own.id)
    await stop()
    await start()
    await expect(sessions.admit(dev, id, 'pg-prod')).rejects.toMatchObject({
      code: 'killed',
      message: 'killed by ana@demo: enough',
    })
    await expect(sessions.admit(dev, own.id, 'pg-prod')).rejects.toMatchObject({ code: 'conflict' })
    await expect(sessions.admit(other, id, 'pg-prod')).rejects.toMatchObject({ code: 'not-found' })
    await expect(sessions.kill(admin, id, 'again')).rejects.toMatchObject({
      message: `session ${id} has ended already`,
    })
  })

  it('leaves a session killable while its client is not back yet', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    await stop()
    await start()
    await sessions.kill(admin, id, 'enough')
    expect((await story()).slice(-2)).toEqual(['session.kill', 'session.end'])
    await expect(sessions.admit(dev, id, 'pg-prod')).rejects.toMatchObject({ code: 'killed' })
    expect(await sessions.list(dev, { live: true, limit: 10 })).toEqual([])
  })

  it.each([
    ['killed', (id: string) => sessions.kill(admin, id, 'enough')],
    ['ended', (id: string) => sessions.end(dev, id)],
  ])('leaves a session that was not taken up to be %s, for good', async (_, end) => {
    // As after a restart with more open sessions than are taken up at once.
    await audit.append([sessionStart('ses_late', dev)])
    await end('ses_late')
    expect(await story()).toContain('session.end')
    await expect(sessions.admit(dev, 'ses_late', 'pg-prod')).rejects.toMatchObject({
      code: expect.stringMatching(/killed|conflict/),
    })
    expect(await sessions.get(dev, 'ses_late')).toMatchObject({ ended: expect.any(String) })
  })

  it('takes up what is open in the audit when its client comes', async () => {
    await audit.append([sessionStart('ses_late', dev)])
    const client = await connect('ses_late')
    expect(await client.hear()).toBe('ready')
    client.socket.end()
    await client.done
  })

  it('admits nothing while it stops', async () => {
    const { id } = await sessions.start(dev, wish('pg-prod'))
    await sessions.close()
    await expect(sessions.admit(dev, id, 'pg-prod')).rejects.toMatchObject({ code: 'gateway-unreachable' })
    await expect(sessions.start(dev, wish('pg-prod'))).rejects.toMatchObject({ code: 'gateway-unreachable' })
  })
})

describe('a session for one connection', () => {
  const own = { reason: 'ticket 7', agent: 'devin' }
  const ids = async () => (await sessions.list(dev, { live: false, limit: 10 })).map(({ id }) => id)

  it('begins before the connection and ends with it', async () => {
    const [socket, far] = duplexPair()
    const done = (await sessions.admitAlone(dev, 'pg-prod', own)).run(far)
    const [id = ''] = await ids()
    expect(await sessions.get(dev, id)).toMatchObject({ ...own, targets: ['pg-prod'], ended: null })
    socket.write('hello psql\n')
    socket.end()
    socket.resume()
    await done
    expect(await sessions.get(dev, id)).toMatchObject({ ended: expect.any(String), why: 'its connection ended' })
  })

  it('ends also when whoever asked has gone meanwhile', async () => {
    await (await sessions.admitAlone(dev, 'pg-prod', own)).decline()
    const [id = ''] = await ids()
    expect(await sessions.get(dev, id)).toMatchObject({ ended: expect.any(String) })
  })

  it('is not begun for what may not be opened', async () => {
    await expect(sessions.admitAlone(dev, 'nothing', own)).rejects.toMatchObject({ code: 'not-found' })
    expect(await ids()).toEqual([])
  })
})
