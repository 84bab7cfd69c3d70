import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import type { Audit } from '../../../src/gateway/audit/audit.ts'
import { openAudit } from '../../../src/gateway/audit/open.ts'
import { type AuditProcess, startAuditProcess } from '../../support/audit-process.ts'
import { all, command, keptLog, outcome, sessionStart, storePath } from '../../support/store-folder.ts'

async function open(path: string, log = keptLog()): Promise<Audit> {
  const audit = await openAudit({ path, flush: true, clock: systemClock, log })
  onTestFinished(() => audit.close())
  return audit
}

/** Appends one by one until an answer fits; gives back the answers. */
async function appendUntil(gateway: AuditProcess, text: string, fits: (answer: string) => boolean): Promise<string[]> {
  const answers: string[] = []
  for (let i = 0; i < 100_000; i++) {
    const answer = await gateway.append([command(`cmd_${text.length}_${i}`, { text })])
    answers.push(answer)
    if (fits(answer)) return answers
  }
  throw new Error(`never came: ${answers.at(-1)}`)
}

/** The system call that writes to the journal and returns when the disk has it; nothing else here uses it. */
const flush = 'pwritev'

/** strace counts for each thread, so there shall be one that waits for the disk. */
function underStrace(fault: string): readonly string[] {
  const strace = ['/usr/bin/strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${flush}`, '-e', fault]
  return ['/usr/bin/env', 'UV_THREADPOOL_SIZE=1', ...strace]
}

/** A missing tool skips here, loudly, and fails where all tools have to be. */
function toolIsMissing(path: string, what: string): boolean {
  if (existsSync(path)) return false
  if (process.env.CI !== undefined) throw new Error(`${path} is missing: ${what} cannot be tested`)
  console.warn(`skipped: ${what} needs ${path}`)
  return true
}

async function untilHealthy(audit: Audit): Promise<void> {
  await expect.poll(() => audit.health(), { timeout: 20_000 }).toEqual({ ok: true })
}

test('while another process holds the file appends are refused, notes are kept, and both work when it lets go', async () => {
  const path = storePath()
  const log = keptLog()
  const audit = await open(path, log)
  await audit.append([sessionStart(), command('cmd_before')])
  expect((await all(audit)).length).toBe(2)

  const other = new Database(path)
  other.exec('BEGIN IMMEDIATE')
  audit.note(outcome('cmd_before'))
  // Durable in the journal: it may happen, and must not get lost.
  await audit.append([command('cmd_kept')])
  const reason = 'the audit cannot be written: another process holds its file'
  await expect.poll(() => audit.health(), { timeout: 10_000 }).toEqual({ ok: false, reason })
  await expect(audit.append([command('cmd_lost')])).rejects.toMatchObject({
    code: 'audit-unavailable',
    message: reason,
  })
  expect((await all(audit)).length).toBe(2)
  other.exec('ROLLBACK')
  other.close()

  await untilHealthy(audit)
  await audit.append([command('cmd_after')])
  expect((await all(audit)).map((line) => JSON.parse(line).command)).toEqual([
    undefined,
    'cmd_before',
    'cmd_before',
    'cmd_kept',
    'cmd_after',
  ])
  expect(await audit.verify()).toMatchObject({ ok: true, records: 5 })
  expect(log.lines.map((line) => line.split(' ')[0])).toEqual(['error', 'info'])
})

test('a disk without room refuses, reports nothing durable, and works again when there is room', async () => {
  if (toolIsMissing('/usr/bin/prlimit', 'a full disk')) return
  const path = storePath()
  // A limit on the size of files is the full disk that needs no root. Without the trap the signal would kill.
  const gateway = await startAuditProcess(path, ['/bin/sh', '-c', 'trap "" XFSZ; ulimit -S -f 2000; exec "$@"', 'sh'])
  const text = 'x'.repeat(20_000)
  const answers = await appendUntil(gateway, text, (answer) => answer !== 'durable')
  expect(answers.at(-1)).toMatch(/^refused the audit cannot be written: its disk /)
  const durable = answers.length - 1
  expect(durable).toBeGreaterThan(10)
  expect(await gateway.append([command('cmd_still', { text })])).toMatch(/^refused the audit cannot be written/)

  execFileSync('/usr/bin/prlimit', ['--pid', String(gateway.pid), '--fsize=unlimited'])
  await appendUntil(gateway, 'room', (answer) => answer === 'durable')
  await gateway.close()

  const audit = await open(path)
  const types = (await all(audit, { type: 'command' })).map((line) => JSON.parse(line).command as string)
  expect(types.filter((id) => id.startsWith('cmd_20000_')).length).toBe(durable)
  expect(await audit.verify()).toMatchObject({ ok: true })
})

test('a flush that fails is never retried: the append is refused, and what follows stands in a file opened anew', async () => {
  if (toolIsMissing('/usr/bin/strace', 'a failing flush')) return
  const path = storePath()
  const gateway = await startAuditProcess(path, underStrace(`inject=${flush}:error=EIO:when=30..32`))
  const answers = await appendUntil(gateway, 'before', (answer) => answer !== 'durable')
  expect(answers.at(-1)).toBe('refused the audit cannot be written: its disk fails (EIO)')
  await appendUntil(gateway, 'and after', (answer) => answer === 'durable')
  await gateway.close()

  const audit = await open(path)
  const lines = (await all(audit)).map((line) => JSON.parse(line))
  const durable = Array.from({ length: answers.length - 1 }, (_, i) => `cmd_6_${i}`)
  const refused = `cmd_6_${answers.length - 1}`
  const commands = lines.filter(({ type }) => type === 'command').map(({ command }) => command)
  expect(commands.filter((id) => id !== refused && id.startsWith('cmd_6_'))).toEqual(durable)
  // Its record may have reached the disk all the same; then the trail also says that it was refused.
  if (commands.includes(refused))
    expect(lines.find(({ type, command }) => type === 'outcome' && command === refused)).toMatchObject({
      outcome: { status: 'refused' },
    })
  expect(await audit.verify()).toMatchObject({ ok: true })
})

test('a flush that hangs refuses whoever waits; what reaches the disk later is on record as refused', async () => {
  if (toolIsMissing('/usr/bin/strace', 'a hanging flush')) return
  const path = storePath()
  const gateway = await startAuditProcess(path, underStrace(`inject=${flush}:delay_exit=2500000:when=30`), 1000)
  const answers = await appendUntil(gateway, 'before', (answer) => answer !== 'durable')
  expect(answers.at(-1)).toBe('refused the audit cannot be written: its disk does not answer')
  const meanwhile = await appendUntil(gateway, 'and after', (answer) => answer === 'durable')
  expect(meanwhile.length).toBeGreaterThan(1)
  await gateway.close()

  const audit = await open(path)
  const lines = (await all(audit)).map((line) => JSON.parse(line))
  const refused = `cmd_6_${answers.length - 1}`
  expect(lines.filter(({ type }) => type === 'command').map(({ command }) => command)).toEqual([
    ...Array.from({ length: answers.length }, (_, i) => `cmd_6_${i}`),
    `cmd_9_${meanwhile.length - 1}`,
  ])
  expect(lines.filter(({ command, type }) => type === 'outcome' && command === refused)).toMatchObject([
    { outcome: { status: 'refused' } },
  ])
  expect(await audit.verify()).toMatchObject({ ok: true })
})
