import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tmpdir } from 'node:os'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import type { Audit } from '../../../src/gateway/audit/audit.ts'
import { openAudit } from '../../../src/gateway/audit/open.ts'
import { journalPaths } from '../../../src/gateway/store/journal-files.ts'
import { startAuditProcess } from '../../support/audit-process.ts'
import { all, command, keptLog, outcome, storePath } from '../../support/store-folder.ts'

async function open(path: string): Promise<Audit> {
  const audit = await openAudit({ path, flush: true, clock: systemClock, log: keptLog() })
  onTestFinished(() => audit.close())
  return audit
}

const commandsOf = (lines: readonly string[]) =>
  lines.map((line) => JSON.parse(line)).flatMap(({ type, command }) => (type === 'command' ? [command] : []))

/**
 * A store as a killed gateway leaves it when nothing of the journal has reached the database: the journal of one that
 * appended these one by one, beside the database as it was before.
 */
async function killedBeforeTheImport(ids: readonly string[]): Promise<string> {
  const path = storePath()
  const empty = await openAudit({ path, flush: true, clock: systemClock, log: keptLog() })
  await empty.close()
  const kept = mkdtempSync(join(tmpdir(), 'hoop-kept-'))
  onTestFinished(() => rmSync(kept, { recursive: true, force: true }))
  copyFileSync(path, join(kept, 'before.db'))
  const gateway = await startAuditProcess(path)
  for (const id of ids) expect(await gateway.append([command(id), command(`${id}_too`)])).toBe('durable')
  await gateway.kill()
  copyFileSync(join(kept, 'before.db'), path)
  for (const rest of ['-wal', '-shm']) rmSync(`${path}${rest}`, { force: true })
  return path
}

test('what only the journal has is taken over at the next start, once', async () => {
  const path = await killedBeforeTheImport(['a', 'b', 'c'])
  const audit = await open(path)
  expect(commandsOf(await all(audit))).toEqual(['a', 'a_too', 'b', 'b_too', 'c', 'c_too'])
  expect(await audit.verify()).toMatchObject({ ok: true })
  await audit.close()
  const again = await open(path)
  expect(commandsOf(await all(again))).toEqual(['a', 'a_too', 'b', 'b_too', 'c', 'c_too'])
})

test('a batch whose end did not reach the disk is not there at all', async () => {
  const path = await killedBeforeTheImport(['a', 'b'])
  const [journal] = journalPaths(path)
  const bytes = readFileSync(journal)
  const last = bytes.lastIndexOf('"hash":"')
  bytes.fill(0, last)
  writeFileSync(journal, bytes)
  expect(commandsOf(await all(await open(path)))).toEqual(['a', 'a_too'])
})

test('a journal that was damaged before its last batch is refused, and left as it is', async () => {
  const path = await killedBeforeTheImport(['a', 'b', 'c'])
  const [journal] = journalPaths(path)
  const bytes = readFileSync(journal)
  const at = bytes.indexOf('"b_too"')
  bytes.write('"x_too"', at)
  writeFileSync(journal, bytes)
  await expect(open(path)).rejects.toMatchObject({
    code: 'audit-unavailable',
    message: `${path}: the trail is damaged: record 3 is missing, and the journal goes on with 5`,
  })
  expect(readFileSync(journal).equals(bytes)).toBe(true)
})

test('the journal of another trail is refused', async () => {
  const path = await killedBeforeTheImport(['a'])
  const other = storePath()
  const filled = await openAudit({ path: other, flush: true, clock: systemClock, log: keptLog() })
  await filled.append([command('x')])
  await filled.close()
  copyFileSync(other, path)
  await expect(open(path)).rejects.toMatchObject({
    message: `${path}: the trail is damaged: the journal does not follow record 1`,
  })
})

test('a stop in good order leaves no journal behind', async () => {
  const path = storePath()
  const audit = await open(path)
  await audit.append([command('a')])
  expect(journalPaths(path).map(existsSync)).toEqual([true, true])
  await audit.close()
  expect(journalPaths(path).map(existsSync)).toEqual([false, false])
  expect(existsSync(dirname(path))).toBe(true)
})

test('both files are written over again and again, and a kill loses nothing', async () => {
  const path = storePath()
  const gateway = await startAuditProcess(path)
  const text = 'x'.repeat(60_000)
  // 60 MB: each file has been full several times.
  for (let i = 0; i < 1000; i++)
    expect(await gateway.append([command(`c${i}`, { text }), outcome(`c${i}`)])).toBe('durable')
  await gateway.kill()
  for (const file of journalPaths(path)) expect(readFileSync(file).length).toBeLessThan(32 << 20)
  const audit = await open(path)
  expect(commandsOf(await all(audit))).toEqual(Array.from({ length: 1000 }, (_, i) => `c${i}`))
  expect(await audit.verify()).toMatchObject({ ok: true, records: 2000 })
})
