import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { type Entry, entryOf } from '../../../src/gateway/store/entry.ts'
import { lockStore } from '../../../src/gateway/store/lock.ts'
import { seal } from '../../../src/gateway/store/seal.ts'
import { openTrail } from '../../../src/gateway/store/trail.ts'
import { startAuditProcess } from '../../support/audit-process.ts'
import { command, storePath } from '../../support/store-folder.ts'

test('one store has one lock, by whatever name it is opened', () => {
  const path = storePath()
  const lock = lockStore(path)
  const other = join(dirname(path), 'another-name.db')
  symlinkSync(path, other)
  expect(() => lockStore(path)).toThrow(`another gateway uses the store ${path}`)
  expect(() => lockStore(other)).toThrow(`another gateway uses the store ${other}`)
  lock.release()
  lockStore(other).release()
})

test('a killed process leaves no lock behind', async () => {
  const path = storePath()
  const gateway = await startAuditProcess(path)
  expect(() => lockStore(path)).toThrow('another gateway')
  await gateway.kill()
  lockStore(path).release()
})

test('a store of a newer format is left alone', () => {
  const path = storePath()
  openTrail(path, true).close()
  const db = new Database(path)
  db.pragma('user_version = 99')
  db.close()
  const before = readFileSync(path)
  expect(() => openTrail(path, true)).toThrow('the store has format 99')
  expect(readFileSync(path).equals(before)).toBe(true)
})

test('a batch that fails in the middle leaves nothing of itself', () => {
  const trail = openTrail(storePath(), true)
  onTestFinished(() => trail.close())
  const add = (...entries: Entry[]) => trail.add(seal(entries, trail.end()))
  add(entryOf(command('cmd_1'), 0))
  const wrong = {
    ...entryOf(command('cmd_3'), 0),
    columns: '["not a time","command",null,null,"dev",null,null,null,null]',
  }
  expect(() => add(entryOf(command('cmd_2'), 0), wrong)).toThrow()
  expect(trail.end().seq).toBe(1)
  add(entryOf(command('cmd_4'), 0))
  expect(trail.record(2)).toMatchObject({ command: 'cmd_4', seq: 2 })
})

test('the threads start from the built package as well', () => {
  const built = fileURLToPath(new URL('../../../dist/gateway/audit/open.js', import.meta.url))
  if (!existsSync(built)) {
    if (process.env.CI !== undefined) throw new Error('dist/ is missing: run npm test, which builds first')
    console.warn('skipped: dist/ is missing, run npm test')
    return
  }
  const program = `
    const { openAudit } = await import(${JSON.stringify(pathToFileURL(built).href)})
    const log = { info() {}, warn() {}, error() {} }
    const clock = { now: () => Date.now(), elapsed: () => performance.now() }
    const audit = await openAudit({ path: ${JSON.stringify(storePath())}, flush: true, clock, log })
    await audit.append([${JSON.stringify(command('cmd_1'))}])
    for await (const line of audit.read({})) console.log(JSON.parse(line).command)
    await audit.close()
  `
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' })
  expect(said).toBe('cmd_1\n')
})
