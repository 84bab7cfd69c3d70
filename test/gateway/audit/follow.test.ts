import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import type { RecordFilter } from '../../../src/contract/api.ts'
import type { Audit } from '../../../src/gateway/audit/audit.ts'
import { openAudit } from '../../../src/gateway/audit/open.ts'
import { all, command, keptLog, outcome, sessionEnd, sessionStart, storePath } from '../../support/store-folder.ts'

async function open(now = systemClock.now): Promise<Audit> {
  const audit = await openAudit({ path: storePath(), flush: true, clock: { ...systemClock, now }, log: keptLog() })
  onTestFinished(() => audit.close())
  return audit
}

const seqOf = (line: string): number => JSON.parse(line).seq as number

async function seqs(audit: Audit, filter: RecordFilter): Promise<number[]> {
  return (await all(audit, filter)).map(seqOf)
}

test('a follower sees what is there and then each record once, through bursts', async () => {
  const audit = await open()
  await audit.append([command('before')])
  const seen: number[] = []
  const done = new AbortController()
  const following = (async () => {
    for await (const line of audit.follow({}, done.signal)) {
      seen.push(seqOf(line))
      if (seen.length === 1 + 30 * 25 * 2) return
    }
  })()
  for (let burst = 0; burst < 30; burst++)
    await Promise.all(
      Array.from({ length: 25 }, async (_, i) => {
        await audit.append([command(`cmd_${burst}_${i}`)])
        audit.note(outcome(`cmd_${burst}_${i}`))
      }),
    )
  await following
  expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => i + 1))
})

test('a follower that reads slowly gets everything and holds up nobody', async () => {
  const audit = await open()
  await audit.append([command('first')])
  const slow = audit.follow({}, new AbortController().signal)[Symbol.asyncIterator]()
  expect(seqOf((await slow.next()).value ?? '')).toBe(1)
  for (let i = 0; i < 40; i++) await audit.append(Array.from({ length: 50 }, (_, n) => command(`cmd_${i}_${n}`)))
  for (let seq = 2; seq <= 2001; seq++) expect(seqOf((await slow.next()).value ?? '')).toBe(seq)
  await slow.return?.()
})

test('a follower that waits ends when its signal says so, and when the audit closes', async () => {
  const audit = await open()
  const stop = new AbortController()
  const aborted = audit.follow({}, stop.signal)[Symbol.asyncIterator]().next()
  const closed = audit.follow({}, new AbortController().signal)[Symbol.asyncIterator]().next()
  stop.abort()
  expect((await aborted).done).toBe(true)
  await audit.close()
  expect((await closed).done).toBe(true)
})

test('following goes on behind the number it is given', async () => {
  const audit = await open()
  for (let i = 1; i <= 5; i++) await audit.append([command(`cmd_${i}`)])
  const lines = audit.follow({ after: 3 }, new AbortController().signal)[Symbol.asyncIterator]()
  expect(seqOf((await lines.next()).value ?? '')).toBe(4)
  expect(seqOf((await lines.next()).value ?? '')).toBe(5)
  const next = lines.next()
  await audit.append([command('cmd_6')])
  expect(seqOf((await next).value ?? '')).toBe(6)
})

test('following with a filter gives only what fits, also of what comes', async () => {
  const audit = await open()
  const lines = audit.follow({ verdict: 'deny' }, new AbortController().signal)[Symbol.asyncIterator]()
  const first = lines.next()
  await audit.append([command('a'), command('b', { verdict: 'deny' })])
  await audit.append([command('c'), command('d', { verdict: 'deny' })])
  expect(seqOf((await first).value ?? '')).toBe(2)
  expect(seqOf((await lines.next()).value ?? '')).toBe(4)
})

test('each filter gives exactly the records that fit', async () => {
  let now = Date.UTC(2026, 0, 1)
  const audit = await open(() => now)
  const later = (): void => {
    now += 1000
  }
  await audit.append([sessionStart('ses_a', 'ana@acme')])
  later()
  await audit.append([command('c1', { session: 'ses_a', user: 'ana@acme', target: 'pg-prod' })])
  later()
  await audit.append([command('c2', { session: 'ses_b', user: 'bo@acme', target: 'pg-test', verdict: 'deny' })])
  later()
  await audit.append([command('c3', { session: 'ses_a', user: 'ana@acme', target: 'pg-test', verdict: 'hold' })])
  later()
  await audit.append([outcome('c1')])

  expect(await seqs(audit, {})).toEqual([1, 2, 3, 4, 5])
  expect(await seqs(audit, { session: 'ses_a' })).toEqual([1, 2, 4])
  expect(await seqs(audit, { user: 'bo@acme' })).toEqual([3])
  expect(await seqs(audit, { target: 'pg-test' })).toEqual([3, 4])
  expect(await seqs(audit, { verdict: 'hold' })).toEqual([4])
  expect(await seqs(audit, { type: 'outcome' })).toEqual([5])
  expect(await seqs(audit, { type: 'command', tail: 2 })).toEqual([3, 4])
  expect(await seqs(audit, { tail: 9 })).toEqual([1, 2, 3, 4, 5])
  expect(await seqs(audit, { tail: 3, limit: 2 })).toEqual([3, 4])
  expect(await seqs(audit, { after: 3 })).toEqual([4, 5])
  expect(await seqs(audit, { after: 4, tail: 3 })).toEqual([5])
  expect(await seqs(audit, { limit: 2 })).toEqual([1, 2])
  expect(await seqs(audit, { since: '2026-01-01T00:00:02Z' })).toEqual([3, 4, 5])
  expect(await seqs(audit, { since: '2026-01-01T00:00:01Z', until: '2026-01-01T00:00:03Z' })).toEqual([2, 3])
  expect(await seqs(audit, { session: 'ses_none' })).toEqual([])
  expect(await seqs(audit, { user: "' OR 1=1 --" })).toEqual([])
})

test('reading gives what was there when it began, however slowly it is read', async () => {
  const audit = await open()
  await audit.append([command('a'), command('b')])
  const lines = audit.read({})[Symbol.asyncIterator]()
  await lines.next()
  await audit.append([command('c')])
  expect(seqOf((await lines.next()).value ?? '')).toBe(2)
  expect((await lines.next()).done).toBe(true)
})

test('sessions are listed newest last, with their commands counted up to the newest record', async () => {
  const audit = await open()
  await audit.append([sessionStart('ses_a', 'ana@acme')])
  await audit.append([sessionStart('ses_b', 'bo@acme')])
  await audit.append([sessionStart('ses_c', 'ana@acme')])
  await audit.append([
    command('c1', { session: 'ses_a' }),
    command('c2', { session: 'ses_a' }),
    command('c3', { session: 'ses_c' }),
  ])
  await audit.append([sessionEnd('ses_a')])

  expect(await audit.sessions({ live: false, limit: 10 })).toMatchObject([
    { id: 'ses_a', user: 'ana@acme', commands: 2, why: 'ended by the user', targets: ['pg-prod'], reason: 'a test' },
    { id: 'ses_b', commands: 0, ended: null, why: null },
    { id: 'ses_c', commands: 1 },
  ])
  const ids = async (wish: Parameters<Audit['sessions']>[0]) => (await audit.sessions(wish)).map(({ id }) => id)
  expect(await ids({ live: true, limit: 10 })).toEqual(['ses_b', 'ses_c'])
  expect(await ids({ live: false, limit: 2 })).toEqual(['ses_b', 'ses_c'])
  expect(await ids({ live: false, limit: 9, user: 'ana@acme' })).toEqual(['ses_a', 'ses_c'])
  expect(await audit.session('ses_b')).toMatchObject({ id: 'ses_b', user: 'bo@acme' })
  expect(await audit.session('ses_x')).toBeUndefined()
})
