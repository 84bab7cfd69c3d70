import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { sealLine } from '../../../src/contract/chain.ts'
import { type AuditRecord, recordSchema } from '../../../src/contract/record.ts'
import type { Audit } from '../../../src/gateway/audit/audit.ts'
import { openAudit } from '../../../src/gateway/audit/open.ts'
import { startAuditProcess } from '../../support/audit-process.ts'
import { all, command, connectionStart, keptLog, outcome, sessionStart, storePath } from '../../support/store-folder.ts'

async function open(path: string, log = keptLog()): Promise<Audit> {
  const audit = await openAudit({ path, flush: true, clock: systemClock, log })
  onTestFinished(() => audit.close())
  return audit
}

/** Appends these in a process of its own, which is killed when they are durable. */
async function leaveBehind(path: string, batches: readonly (readonly object[])[]): Promise<void> {
  const gateway = await startAuditProcess(path)
  for (const batch of batches) expect(await gateway.append(batch)).toBe('durable')
  await gateway.kill()
}

async function records(audit: Audit): Promise<AuditRecord[]> {
  return (await all(audit)).map((line) => recordSchema.parse(JSON.parse(line)))
}

test('a killed gateway leaves commands that are settled as unknown, connections that are ended, and sessions that may go on', async () => {
  const path = storePath()
  await leaveBehind(path, [
    [sessionStart()],
    [connectionStart()],
    [command('cmd_done'), command('cmd_open'), command('cmd_denied', { verdict: 'deny' })],
    [outcome('cmd_done')],
  ])
  const log = keptLog()
  const audit = await open(path, log)
  const added = (await records(audit)).slice(6)
  expect(added.map(({ type, seq }) => [type, seq])).toEqual([
    ['outcome', 7],
    ['connection.end', 8],
  ])
  expect(added[0]).toMatchObject({
    command: 'cmd_open',
    outcome: { status: 'unknown' },
    user: 'dev@demo',
    session: 'ses_1',
  })
  expect(added[1]).toMatchObject({ connection: 'con_1', why: 'gateway stopped without warning' })
  expect(await audit.verify()).toMatchObject({ ok: true, records: 8 })
  expect(log.lines).toHaveLength(1)
  expect(await audit.sessions({ live: true, limit: 10 })).toMatchObject([{ id: 'ses_1', ended: null }])
})

test('an approval that nobody decided is cancelled, and its command is known not to have run', async () => {
  const path = storePath()
  await leaveBehind(path, [
    [
      command('cmd_1', { verdict: 'hold', approval: 'apr_1' }),
      command('cmd_2', { verdict: 'hold', approval: 'apr_1' }),
    ],
  ])
  const added = (await records(await open(path))).slice(2)
  expect(added).toMatchObject([
    { type: 'outcome', command: 'cmd_1', outcome: { status: 'not-run' } },
    { type: 'outcome', command: 'cmd_2', outcome: { status: 'not-run' } },
    { type: 'approval.end', approval: 'apr_1', end: 'cancelled', why: 'gateway stopped without warning' },
  ])
})

test('an approved command without an outcome is unknown', async () => {
  const path = storePath()
  const held = command('cmd_1', { verdict: 'hold', approval: 'apr_1' })
  const end = {
    ...connectionStart(),
    type: 'approval.end',
    approval: 'apr_1',
    end: 'approved',
    why: 'approved by dba@demo',
  }
  await leaveBehind(path, [[held], [end]])
  expect((await records(await open(path))).slice(2)).toMatchObject([
    { type: 'outcome', outcome: { status: 'unknown' } },
  ])
})

test('what was ended at one start is not ended again at the next', async () => {
  const path = storePath()
  await leaveBehind(path, [[sessionStart(), command('cmd_1')]])
  await leaveBehind(path, [])
  await leaveBehind(path, [])
  expect((await records(await open(path))).map(({ type }) => type)).toEqual(['session.start', 'command', 'outcome'])
})

test('what is open survives the tidying of thousands of records', async () => {
  const path = storePath()
  const many = Array.from({ length: 40 }, (_, batch) =>
    Array.from({ length: 200 }, (_, i) => [
      command(`cmd_${batch}_${i}`, { text: 'x'.repeat(800) }),
      outcome(`cmd_${batch}_${i}`),
    ]).flat(),
  )
  await leaveBehind(path, [[sessionStart(), command('cmd_open')], ...many])
  const audit = await open(path)
  const added = (await records(audit)).slice(2 + 40 * 400)
  expect(added).toMatchObject([{ type: 'outcome', command: 'cmd_open', outcome: { status: 'unknown' } }])
  expect(await audit.session('ses_1')).toMatchObject({ commands: 8001, ended: null })
})

test('a torn last record is detected, and nothing is added behind it', async () => {
  const path = await damagedStore('UPDATE lines SET line = substr(line, 1, length(line) - 40) WHERE seq = 3')
  await expect(open(path)).rejects.toMatchObject({
    code: 'audit-unavailable',
    message: `${path}: the trail is damaged: record 3 has no hash at its end`,
  })
})

test.each([
  [
    'a record was altered',
    "UPDATE lines SET line = replace(line, 'SELECT 1', 'SELECT 2') WHERE seq = 2",
    /record 2 was altered/,
  ],
  ['a record is missing', 'DELETE FROM lines WHERE seq = 2', /record 2 is missing/],
  [
    'the end was cut off',
    'DELETE FROM lines WHERE seq = 3; DELETE FROM records WHERE seq = 3',
    /record 3 was written, and the newest one is 2/,
  ],
  ['the columns of a record are missing', 'DELETE FROM records WHERE seq = 3', /record 3 has a line and no columns/],
])('a start refuses a trail where %s', async (_, sql, message) => {
  const path = await damagedStore(sql)
  await expect(open(path)).rejects.toMatchObject({ code: 'audit-unavailable', message: expect.stringMatching(message) })
})

test.each([
  [
    'an altered line',
    "UPDATE lines SET line = replace(line, 'SELECT 1', 'SELECT 2') WHERE seq = 2",
    { seq: 2, flaw: expect.stringContaining('was altered') },
  ],
  [
    'an altered line with a hash made to fit',
    forge,
    { seq: 3, flaw: expect.stringContaining('that one was replaced') },
  ],
  [
    'a column that hides a record',
    "UPDATE records SET user = 'nobody' WHERE seq = 2",
    { seq: 2, flaw: 'is filed under another user than its text says' },
  ],
  [
    'a verdict that hides a record',
    "UPDATE records SET verdict = 'deny' WHERE seq = 2",
    { seq: 2, flaw: 'is filed under another verdict than its text says' },
  ],
  [
    'a time that hides a record',
    'UPDATE records SET at = 5 WHERE seq = 2',
    { seq: 2, flaw: 'is filed under another time than its text says' },
  ],
  ['a missing record', 'DELETE FROM lines WHERE seq = 2', { seq: 2, flaw: 'is missing' }],
])('verify finds %s', async (_, tamper, flaw) => {
  const path = storePath()
  const audit = await open(path)
  await audit.append([command('cmd_1'), command('cmd_2'), command('cmd_3')])
  // Read once: so they have left the journal.
  expect(await all(audit)).toHaveLength(3)
  const db = new Database(path)
  if (typeof tamper === 'string') db.exec(tamper)
  else tamper(db)
  db.close()
  expect(await audit.verify()).toEqual({ ok: false, ...flaw })
  expect(await audit.verify(4)).toMatchObject({ ok: true, records: 0 })
})

test('verify can begin in the middle', async () => {
  const audit = await open(storePath())
  for (let i = 1; i <= 5; i++) await audit.append([command(`cmd_${i}`)])
  expect(await audit.verify(3)).toMatchObject({ ok: true, records: 3, last: 5 })
})

/** Three records, written and closed in good order, and then this done to them. */
async function damagedStore(sql: string): Promise<string> {
  const path = storePath()
  const audit = await open(path)
  await audit.append([command('cmd_1'), command('cmd_2'), command('cmd_3')])
  await audit.close()
  const db = new Database(path)
  db.exec(sql)
  db.close()
  return path
}

/** Rewrites a record and seals it anew, as whoever can write the file can. */
function forge(db: Database.Database): void {
  const { line } = db.prepare('SELECT line FROM lines WHERE seq = 2').get() as { line: string }
  const body = `${line.replace('SELECT 1', 'SELECT 2').slice(0, line.lastIndexOf(',"hash"'))}}`
  db.prepare('UPDATE lines SET line = ? WHERE seq = 2').run(sealLine(body).line)
}
