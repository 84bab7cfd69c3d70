import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { beginningFor, type LogsOptions, runLogs } from '../../src/commands/logs.ts'
import { runReplay } from '../../src/commands/replay.ts'
import { runKill, runList, runShow } from '../../src/commands/sessions.ts'
import { runTargets } from '../../src/commands/targets.ts'
import { paperSession, people, shop, startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sampleLine } from '../support/samples.ts'
import { permitFor } from '../support/permits.ts'
import { command, outcome, sessionEnd, sessionStart } from '../support/store-folder.ts'
import { createTerminal } from '../support/terminal.ts'

function terminalOf(url: string, token = 'auditor-token', isTty = false) {
  return createTerminal({ isTty, env: { HOOP_GATEWAY: url, HOOP_TOKEN: token, NO_COLOR: '1' } })
}

async function told(): Promise<TestGateway> {
  const gateway = await startTestGateway()
  gateway.sessions.push(paperSession({ id: 'ses_1', reason: 'ticket \u001b[31m4711' }))
  await gateway.audit.append([
    sessionStart(),
    command('cmd_1', { text: 'SELECT email FROM customers' }),
    command('cmd_2', { verdict: 'deny', text: 'SELECT pg_read_file($$/etc/passwd$$)' }),
  ])
  gateway.audit.note({
    ...outcome('cmd_1'),
    outcome: {
      status: 'done',
      rows: 2,
      durationMs: 4.2,
      masked: true,
      result: { columns: ['email'], rows: [['•••'], ['\u001b[2J']], truncated: true },
    },
  })
  await gateway.audit.append([sessionEnd()])
  return gateway
}

const logs = (options: Partial<LogsOptions> = {}): LogsOptions => ({ screen: true, ...options })

test('prints the audit as lines, newest last', async () => {
  const gateway = await told()
  const terminal = terminalOf(gateway.url)
  await runLogs(terminal.runtime, logs())
  const lines = terminal.stdout().trimEnd().split('\n')
  expect(lines.map((line) => line.split(/ +/, 1)[0])).toEqual(['#1', '#2', '#3', '#4', '#5'])
  expect(lines[2]).toMatch(/dev@demo +pg-prod +deny +SELECT pg_read_file/)
})

test('prints the very lines that were sealed, with --json', async () => {
  const gateway = await told()
  const terminal = terminalOf(gateway.url)
  await runLogs(terminal.runtime, logs({ json: true, verdict: 'deny' }))
  const sealed: string[] = []
  for await (const line of gateway.audit.read({ verdict: 'deny' })) sealed.push(line)
  expect(terminal.stdout()).toBe(`${sealed.join('\n')}\n`)
  expect(sealed).toHaveLength(1)
})

test('a screen with a filter begins with the last records that fit, also when later ones do not', async () => {
  const gateway = await told()
  const { client } = await terminalOf(gateway.url).runtime.door(undefined)
  onTestFinished(() => client.close())
  const never = new AbortController().signal
  const seqs = async (filter: Parameters<typeof beginningFor>[1]) =>
    (await beginningFor(client, filter, never)).map(({ record }) => record.seq)
  expect(await seqs({ tail: 1, verdict: 'deny' })).toEqual([3, 5])
  expect(await seqs({ tail: 1 })).toEqual([])
  expect(await seqs({ since: '2020-01-01T00:00:00Z', verdict: 'deny' })).toEqual([])
})

test('follows: what is there, then what comes, until it is stopped', async () => {
  const gateway = await told()
  const terminal = terminalOf(gateway.url)
  const following = runLogs(terminal.runtime, logs({ follow: true, tail: 1 }))
  await terminal.seen('#5')
  await gateway.audit.append([command('cmd_9', { text: 'SELECT 9' })])
  await terminal.seen('SELECT 9')
  terminal.stop.abort()
  await following
  expect(terminal.stdout()).not.toContain('#4')
})

test('proves the chain', async () => {
  const gateway = await told()
  const terminal = terminalOf(gateway.url)
  await runLogs(terminal.runtime, logs({ verify: true, json: true }))
  expect(JSON.parse(terminal.stdout())).toMatchObject({ ok: true, checked: 5, head: { seq: 5 }, flaw: null })
  expect(terminal.runtime.exitCode).toBe(0)
})

test('proves recordings against the hashes that the audit has of them', async () => {
  const gateway = await told()
  const { start } = gateway.recordings.of({ session: 'ses_1' })
  const head = { width: 80, height: 24, title: 'true' }
  const proof = await (await start(permitFor('cmd_7'), head, () => undefined)).end(0)
  const tell = (id: string, recording: typeof proof) =>
    gateway.audit.note({ ...outcome(id), outcome: { status: 'done', recording } })
  const verify = async () => {
    const terminal = terminalOf(gateway.url)
    await runLogs(terminal.runtime, logs({ verify: true, recordings: true, json: true }))
    return { ...JSON.parse(terminal.stdout()), exitCode: terminal.runtime.exitCode }
  }
  tell('cmd_7', proof)
  await gateway.audit.append([sessionEnd()])
  expect(await verify()).toMatchObject({ ok: true, exitCode: 0, recordings: { checked: 1, flaws: [] } })

  await (await start(permitFor('cmd_8'), head, () => undefined)).end(1)
  tell('cmd_8', proof)
  tell('cmd_9', proof)
  await gateway.audit.append([sessionEnd()])
  expect(await verify()).toMatchObject({
    ...{ ok: false, exitCode: 1, flaw: null },
    recordings: {
      checked: 3,
      flaws: [
        { session: 'ses_1', command: 'cmd_8', what: 'was altered' },
        { session: 'ses_1', command: 'cmd_9', what: 'is missing' },
      ],
    },
  })
})

test('refuses to prove what one sees only a part of', async () => {
  const gateway = await told()
  await expect(runLogs(terminalOf(gateway.url, 'dev-token').runtime, logs({ verify: true }))).rejects.toMatchObject({
    code: 'not-allowed',
  })
})

/** A gateway that lies about one record: no honest one can be made to. */
async function lying(change: (lines: string[]) => string[]): Promise<string> {
  const gateway = await told()
  const lines: string[] = []
  for await (const line of gateway.audit.read({})) lines.push(line)
  const { expires, ...me } = { ...people['auditor-token'], version: '1' }
  const server = createServer((request, response) => {
    if (request.url === '/v1/me') response.end(JSON.stringify({ ...me, expires: new Date(expires ?? 0).toISOString() }))
    else response.end(`${change(lines).join('\n')}\n`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test.each<[string, (lines: string[]) => string[], RegExp]>([
  ['altered', (lines) => lines.map((line) => line.replace('customers', 'orders')), /record 2 was altered/],
  ['left out', (lines) => lines.filter((_line, index) => index !== 2), /record 3 has number 4 where 3 is due/],
  ['cut off at the beginning', (lines) => lines.slice(1), /record 1 has number 2/],
  ['exchanged', ([a = '', b = '', ...rest]) => [b, a, ...rest], /record 1 has number 2/],
])('names the first record that is wrong: %s', async (_how, change, expected) => {
  const terminal = terminalOf(await lying(change))
  await runLogs(terminal.runtime, logs({ verify: true }))
  expect(terminal.stdout()).toMatch(expected)
  expect(terminal.runtime.exitCode).toBe(1)
})

test('lists sessions, shows one with its records, kills one with a reason', async () => {
  const gateway = await told()
  const list = terminalOf(gateway.url)
  await runList(list.runtime, { limit: 20 })
  expect(list.stdout()).toMatch(/ses_1 +dev@demo +pg-prod .*1 connection .*ticket ␛\[31m4711/)
  const show = terminalOf(gateway.url)
  await runShow(show.runtime, { id: 'ses_1' })
  expect(show.stdout()).toContain('SELECT email FROM customers')
  const kill = terminalOf(gateway.url, 'dba-token')
  await runKill(kill.runtime, { id: 'ses_1', reason: 'runaway agent' })
  expect(gateway.killed).toEqual([{ id: 'ses_1', reason: 'runaway agent', by: 'dba@demo' }])
  await expect(runKill(kill.runtime, { id: 'ses_2' })).rejects.toMatchObject({ code: 'not-found' })
})

test('replays a session: statements, verdicts, outcomes and rows, with nothing a terminal would obey', async () => {
  const gateway = await told()
  const terminal = terminalOf(gateway.url)
  await runReplay(terminal.runtime, { session: 'ses_1' })
  const text = terminal.stdout()
  expect(text).toContain('pg-prod> SELECT email FROM customers')
  expect(text).toContain('denied by test: because')
  expect(text).toContain('•••')
  expect(text).toContain('␛[2J')
  expect(text).toContain('… more rows were shown')
  expect(text).toMatch(/to SELECT email FROM customers: 2 rows, masked, 4.2 ms/)
  expect(text).not.toContain('\u001b')
})

test('replays as NDJSON for programs', async () => {
  const gateway = await told()
  const terminal = terminalOf(gateway.url)
  await runReplay(terminal.runtime, { session: 'ses_1', json: true })
  const scenes = terminal
    .stdout()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).scene)
  expect(scenes).toEqual(['start', 'asked', 'asked', 'answered', 'end'])
})

test('logs show command lines, transfers and recordings for what they are', async () => {
  const gateway = await startTestGateway()
  const asked = sampleLine({ text: 'rm -rf /srv/app\u001b[2J' })
  await gateway.audit.append([sessionStart(), { ...command('cmd_1', { target: 'ssh-prod' }), asked }])
  const recording = { bytes: 2048, sha256: 'c'.repeat(64) }
  const transfer = { direction: 'download', bytes: 5 << 20, sha256: 'd'.repeat(64) } as const
  gateway.audit.note({ ...outcome('cmd_1'), outcome: { status: 'done', recording } })
  gateway.audit.note({ ...outcome('cmd_2'), outcome: { status: 'done', transfer } })
  gateway.audit.note({ ...outcome('cmd_3'), outcome: { status: 'done', transfer: { ...transfer, sha256: null } } })
  await gateway.audit.append([sessionEnd()])
  const terminal = terminalOf(gateway.url)
  await runLogs(terminal.runtime, logs())
  const text = terminal.stdout()
  expect(text).toMatch(/ssh-prod +allow +\$ rm -rf \/srv\/app␛\[2J/)
  expect(text).toContain('recording of 2 KiB')
  expect(text).toContain('download of 5 MiB, SHA-256 dddddddddddd…')
  expect(text).toContain('download of 5 MiB, with gaps, so without a SHA-256')
})

test('lists targets with why-not', async () => {
  const gateway = await startTestGateway({
    targets: [shop, { ...shop, name: 'pg-billing', whyNot: 'only for the group billing' }],
  })
  const terminal = terminalOf(gateway.url)
  await runTargets(terminal.runtime, {})
  expect(terminal.stdout()).toMatch(/pg-prod +postgres +env=prod +the shop +may use it/)
  expect(terminal.stdout()).toMatch(/pg-billing .*only for the group billing/)
})
