import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import type { AuditRecord } from '../../src/contract/record.ts'
import type { Connection, TailFilter } from '../../src/tui/source.ts'
import { runTail } from '../../src/tui/tail.tsx'
import { createFeed } from '../support/feed.ts'
import { noon, sampleCommand, sampleLine, sampleRecord } from '../support/samples.ts'
import { createScreen, keys } from '../support/screen.ts'

async function open(columns = 80, rows = 24, initialFilter: TailFilter = {}) {
  const screen = createScreen(columns, rows)
  const feed = createFeed<AuditRecord>()
  const stop = new AbortController()
  let tell: (connection: Connection) => void = () => undefined
  const ended = runTail({
    source: {
      follow: feed.read,
      onConnection(listener) {
        tell = listener
        return () => undefined
      },
    },
    ...{ initialFilter, io: screen.io, env: {}, clock: systemClock, signal: stop.signal },
  })
  const settled = ended.catch(() => undefined)
  onTestFinished(async () => {
    stop.abort()
    await settled
  })
  tell({ state: 'connected' })
  await Promise.race([screen.until('Nothing has'), ended])
  return { screen, feed, ended, tell }
}

const batch = (from: number, count: number): AuditRecord[] =>
  Array.from({ length: count }, (_, index) => sampleRecord(from + index))

it('draws a bounded number of frames however many records come, each of them whole', async () => {
  // Small, so that frames cost little and the machine's own slowness cannot hide one too many.
  const { screen, feed } = await open(40, 6)
  const before = screen.frames()
  const broken: string[] = []
  screen.onFrame(() => {
    const shown = screen.rows()
    if (!shown[0]?.startsWith('hoop logs') || !shown.at(-1)?.includes('q quit')) broken.push(shown.join('\n'))
  })
  const started = performance.now()
  // A thousand a second for two seconds, in the small pieces in which a stream brings them.
  for (let sent = 0; sent < 2000; ) {
    const due = Math.min(2000, Math.floor(performance.now() - started))
    if (due > sent) feed.push(...batch(sent + 1, due - sent))
    sent = Math.max(sent, due)
    await sleep(5)
  }
  await screen.until('2000 records')
  const seconds = (performance.now() - started) / 1000
  // Ten batches a second, one frame each.
  expect(screen.frames() - before).toBeLessThanOrEqual(Math.ceil(seconds * 10) + 3)
  expect(screen.frames() - before).toBeGreaterThan(5)
  expect(broken).toEqual([])
})

it('takes in a backlog at once and shows its end', async () => {
  const { screen, feed } = await open()
  feed.push(...batch(1, 20_000))
  await screen.until('20000 records')
  expect(screen.text()).toContain('SELECT 20000 AS number')
})

it('stays where it is while paused, counts what is new, and goes on', async () => {
  const { screen, feed } = await open()
  feed.push(...batch(1, 30))
  await screen.until('SELECT 30 AS')
  screen.press(' ')
  await screen.until('paused')
  feed.push(...batch(31, 40))
  await screen.until('paused, 40 new')
  expect(screen.text()).not.toContain('SELECT 31 AS')
  screen.press('G')
  await screen.until((text) => text.includes('SELECT 70 AS') && text.includes('following'))
})

it('starts with the filter it was given', async () => {
  const { screen, feed } = await open(80, 24, { user: 'ana', verdict: 'deny' })
  feed.push(
    ...batch(1, 3),
    sampleRecord(4, { user: 'ana@x', decision: { verdict: 'deny', rule: 'r', reason: 'x', config: 'c' } }),
  )
  await screen.until('1 of 4 for “user:ana verdict:deny”')
})

it('shows one record whole, with nothing in it obeyed', async () => {
  const { screen, feed } = await open(120, 50)
  feed.push(
    sampleRecord(1, {
      asked: sampleCommand('SELECT 1;\n\x1b[2J\u202e\x07', {
        parameters: [{ value: '\x1b]0;x\x07' }, { value: null, type: 'int4' }],
      }),
      user: 'dev\x1b[5m',
    }),
  )
  await screen.until('SELECT 1;')
  screen.press(keys.enter)
  await screen.until('Record 1')
  const text = screen.text()
  for (const part of [
    '1│ SELECT 1;',
    '2│ ␛[2J<U+202E>␇',
    '$1  ␛]0;x␇',
    '$2 int4  NULL',
    'dev␛[5m',
    'reads',
    'h'.repeat(64),
  ])
    expect(text).toContain(part)
  expect(screen.written()).not.toMatch(/\x1b\]0;x|\x1b\[5m|\u202e/)
})

describe.each([
  [80, 24],
  [40, 10],
  [120, 40],
  [20, 5],
] as const)('at %i × %i', (columns, rows) => {
  it('draws every frame from the first row to the last, in each view', async () => {
    const { screen, feed } = await open(columns, rows)
    feed.push(...batch(1, 500), sampleRecord(501, { target: '漢字データベース'.repeat(9), user: '😀'.repeat(60) }))
    await screen.until(columns < 30 ? '▸' : '501 records')
    const broken: string[] = []
    screen.onFrame(() => {
      const shown = screen.rows()
      const titles = shown.filter((row) => row.startsWith('hoop logs')).length
      if (titles !== 1 || !shown[0]?.startsWith('hoop logs') || shown.at(-1) === '') broken.push(shown.join('\n'))
    })
    for (const [typed, seen] of [
      [keys.enter, 'Esc back'],
      [keys.escape, 'q quit'],
      ['?', 'Esc close'],
      ['x', 'q quit'],
      ['g', '▸'],
      ['/', 'Enter apply'],
      [`verdict:x${keys.enter}`, 'Enter apply'],
      [keys.escape, 'q quit'],
    ] as const) {
      screen.press(typed)
      await screen.until(seen)
    }
    expect(broken).toEqual([])
  })
})

it('says that the connection is lost, and goes on afterwards', async () => {
  const { screen, feed, tell } = await open()
  feed.push(...batch(1, 5))
  await screen.until('5 records')
  tell({ state: 'lost', reason: 'gateway stopped' })
  await screen.until('trying again: gateway stopped')
  expect(screen.text()).toContain('SELECT 5 AS number')
  tell({ state: 'connected' })
  feed.push(...batch(6, 1))
  await screen.until((text) => text.includes('6 records') && !text.includes('trying again'))
})

it.each(['q', keys.ctrlC])('gives the terminal back on %j, also in the middle of a stream', async (typed) => {
  const { screen, feed, ended } = await open()
  feed.push(...batch(1, 5000))
  screen.press(typed)
  await ended
  await screen.until(() => !screen.isAlternate())
  expect(screen.isRaw()).toBe(false)
})

it('tells times as the records have them', async () => {
  const { screen, feed } = await open()
  feed.push(sampleRecord(1, { at: new Date(noon).toISOString() }))
  await screen.until('12:00:00')
})

it('shows command lines, transfers and recordings, with hashes whole in the record itself', async () => {
  const { screen, feed } = await open(100, 30)
  const { type: _, asked: _asked, decision: _decision, approval: _approval, ...about } = sampleRecord(2)
  const sha256 = 'ab'.repeat(32)
  feed.push(sampleRecord(1, { asked: sampleLine() }), {
    ...about,
    type: 'outcome',
    outcome: {
      status: 'done',
      transfer: { direction: 'upload', bytes: 3 << 20, sha256 },
      recording: { bytes: 2048, sha256: 'cd'.repeat(32) },
    },
  })
  await screen.until('$ sudo rm -rf /srv/app')
  await screen.until('upload of 3 MiB, SHA-256 abababababab…')
  screen.press(keys.enter)
  await screen.until(sha256)
  expect(screen.text()).toContain('cd'.repeat(32))
  expect(screen.text()).toContain('hoop replay ses_1 --command cmd_2')
})
