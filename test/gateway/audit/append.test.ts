import { statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { flawIn, genesis, hashAtEnd } from '../../../src/contract/chain.ts'
import { recordSchema } from '../../../src/contract/record.ts'
import type { Audit } from '../../../src/gateway/audit/audit.ts'
import { openAudit } from '../../../src/gateway/audit/open.ts'
import {
  all,
  command,
  connectionStart,
  keptLog,
  outcome,
  sessionEnd,
  sessionStart,
  storePath,
} from '../../support/store-folder.ts'

async function open(path = storePath(), log = keptLog()): Promise<Audit> {
  const audit = await openAudit({ path, flush: true, clock: systemClock, log })
  onTestFinished(() => audit.close())
  return audit
}

test('an appended record can be read at once, as one line that fits the schema', async () => {
  const audit = await open()
  await audit.append([command('cmd_1', { text: "SELECT 'ä\u0000\u001b\ud800\"'" })])
  const lines = await all(audit)
  expect(lines).toHaveLength(1)
  const record = recordSchema.parse(JSON.parse(lines[0] ?? ''))
  expect(record).toMatchObject({ v: 1, seq: 1, prev: genesis, type: 'command', command: 'cmd_1' })
})

test('records are numbered without a gap and chained, whoever appended them', async () => {
  const audit = await open()
  const clients = Array.from({ length: 16 }, async (_, client) => {
    for (let i = 0; i < 20; i++) {
      await audit.append([command(`cmd_${client}_${i}`)])
      audit.note(outcome(`cmd_${client}_${i}`))
    }
  })
  await Promise.all(clients)
  await audit.append([command('cmd_last')])
  const lines = await all(audit)
  expect(lines).toHaveLength(16 * 20 * 2 + 1)
  let prev = genesis
  for (const [index, line] of lines.entries()) {
    expect(flawIn(line, { seq: index + 1, prev })).toBeUndefined()
    prev = hashAtEnd(line)
  }
  expect(await audit.verify()).toEqual({ ok: true, records: 641, last: 641, hash: prev })
})

test('what is appended together stays together', async () => {
  const audit = await open()
  await Promise.all(
    Array.from({ length: 50 }, (_, i) => audit.append([command(`a${i}`), command(`b${i}`), command(`c${i}`)])),
  )
  const ids = (await all(audit)).map((line) => JSON.parse(line).command as string)
  for (let at = 0; at < ids.length; at += 3) {
    const number = ids[at]?.slice(1)
    expect(ids.slice(at, at + 3)).toEqual([`a${number}`, `b${number}`, `c${number}`])
  }
})

test('an appended record is in the database for another process a moment later', async () => {
  const path = storePath()
  const audit = await open(path)
  await audit.append([command('cmd_1')])
  const other = new Database(path, { readonly: true })
  onTestFinished(() => void other.close())
  await expect.poll(() => other.prepare('SELECT count(*) AS n FROM lines').get()).toEqual({ n: 1 })
})

test('the store is readable by its owner only', async () => {
  const path = storePath()
  await open(path)
  for (const file of [path, `${path}-wal`, `${path}.lock`, `${path}.journal-a`, `${path}.journal-b`])
    expect(statSync(file).mode & 0o077).toBe(0)
})

test('what was noted is written before the audit closes', async () => {
  const path = storePath()
  const audit = await open(path)
  await audit.append([command('cmd_1')])
  audit.note(outcome('cmd_1'))
  await audit.close()
  const again = await open(path)
  expect((await all(again)).map((line) => JSON.parse(line).type)).toEqual(['command', 'outcome'])
})

test('numbers and chain go on after a clean stop, and nothing is settled anew', async () => {
  const path = storePath()
  const log = keptLog()
  const first = await open(path)
  await first.append([sessionStart(), connectionStart(), command('cmd_1')])
  first.note(outcome('cmd_1'))
  first.note({ ...connectionStart(), type: 'connection.end', why: 'ended by the client' })
  first.note(sessionEnd())
  await first.close()

  const second = await open(path, log)
  await second.append([sessionStart('ses_2')])
  expect((await all(second)).map((line) => JSON.parse(line).seq)).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(await second.verify()).toMatchObject({ ok: true, records: 7 })
  expect(log.lines).toEqual([])
})

test('a second gateway on the same store is told so, and the first goes on', async () => {
  const path = storePath()
  const audit = await open(path)
  await expect(open(path)).rejects.toMatchObject({
    code: 'conflict',
    message: `another gateway uses the store ${path}`,
  })
  await audit.append([command('cmd_1')])
  await audit.close()
  await open(path)
})

test('after it was closed it refuses, and says why', async () => {
  const audit = await open()
  await audit.close()
  await expect(audit.append([command('cmd_1')])).rejects.toMatchObject({ code: 'audit-unavailable' })
})

test('a record of many megabytes is kept exactly', async () => {
  const audit = await open()
  const text = `SELECT '${'ü'.repeat(5_000_000)}'`
  await audit.append([command('cmd_1', { text })])
  const [line] = await all(audit)
  expect(JSON.parse(line ?? '').asked.text === text).toBe(true)
  expect(await audit.verify()).toMatchObject({ ok: true })
})

test('what is too long for a record is refused, or noted without its length, and blocks nobody', async () => {
  const log = keptLog()
  const audit = await open(storePath(), log)
  const long = 'x'.repeat(65 << 20)
  await expect(audit.append([command('cmd_1', { text: long })])).rejects.toMatchObject({
    code: 'audit-unavailable',
    message: 'a record (command) of more than 64 MiB cannot be written down',
  })
  await audit.append([command('cmd_2')])
  const sample = { columns: ['a'], rows: [[long]], truncated: false }
  audit.note({ ...outcome('cmd_2'), outcome: { status: 'done', result: sample } })
  await audit.append([command('cmd_3')])
  const records = (await all(audit)).map((line) => JSON.parse(line))
  expect(records).toMatchObject([{ command: 'cmd_2' }, { outcome: { status: 'done' } }, { command: 'cmd_3' }])
  expect(log.lines).toHaveLength(1)
  expect(audit.health()).toEqual({ ok: true })
})
