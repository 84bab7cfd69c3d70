import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type ReplayOptions, runReplay } from '../../../src/commands/replay.ts'
import { createEventReader, endLine, parseHeader } from '../../../src/contract/asciicast.ts'
import type { Outcome } from '../../../src/contract/record.ts'
import { createRuntime } from '../../../src/runtime.ts'
import { paperSession, startTestGateway, type TestGateway } from '../../support/gateway.ts'
import { permitFor } from '../../support/permits.ts'
import { createScreen, keys, type TestScreen } from '../../support/screen.ts'
import { command, outcome, sessionEnd, sessionStart } from '../../support/store-folder.ts'
import { createTerminal, emptyHome } from '../../support/terminal.ts'

const head = { width: 80, height: 24, term: 'xterm' }

/** A shell that greets and clears the screen, then a program that fails; an hour of silence is not in it. */
async function recorded(): Promise<TestGateway> {
  const gateway = await startTestGateway()
  gateway.sessions.push(paperSession({ id: 'ses_1' }))
  const { start } = gateway.recordings.of({ session: 'ses_1' })
  const lost = (reason: unknown) => {
    throw reason
  }
  await gateway.audit.append([sessionStart(), command('cmd_1', { text: 'shell' })])
  await sleep(5)
  const shell = await start(permitFor('cmd_1'), { ...head, title: 'shell' }, lost)
  shell.output(Buffer.from('\u001b]52;c;ZXZpbA==\u0007wel'))
  shell.output(Buffer.from('come to \u001b[1mshop-1\u001b[0m\r\n$ '))
  await sleep(300)
  shell.input(Buffer.from('uptime\r'))
  await sleep(20)
  shell.output(Buffer.from('uptime\r\n up 400 days\r\n$ '))
  shell.marker('refused: rm -rf /')
  await sleep(300)
  shell.output(Buffer.from('bye\r\n'))
  end(gateway, 'cmd_1', { status: 'done', recording: await shell.end(0) })
  await sleep(5)
  await gateway.audit.append([command('cmd_2', { text: 'cat /etc/motd' })])
  await sleep(5)
  const cat = await start(permitFor('cmd_2'), { ...head, title: 'cat /etc/motd' }, lost)
  cat.output(Buffer.from('cat: /etc/motd: no such file\n'))
  end(gateway, 'cmd_2', { status: 'failed', recording: await cat.end(1) })
  await gateway.audit.append([sessionEnd()])
  return gateway
}

function end(gateway: TestGateway, id: string, what: Outcome): void {
  gateway.audit.note({ ...outcome(id), outcome: what })
}

function terminalOf(gateway: TestGateway) {
  return createTerminal({ env: { HOOP_GATEWAY: gateway.url, HOOP_TOKEN: 'auditor-token', NO_COLOR: '1' } })
}

async function replayed(gateway: TestGateway, options: Partial<ReplayOptions> = {}): Promise<string> {
  const terminal = terminalOf(gateway)
  await runReplay(terminal.runtime, { session: 'ses_1', ...options })
  expect(terminal.runtime.exitCode).toBe(0)
  return terminal.stdout()
}

/** On a terminal of its own; the promise resolves when the replay is over. */
function onScreen(
  gateway: TestGateway,
  options: Partial<ReplayOptions> = {},
): { screen: TestScreen; over: Promise<void> } {
  const screen = createScreen(100, 40)
  const runtime = createRuntime({
    env: { HOOP_GATEWAY: gateway.url, HOOP_TOKEN: 'auditor-token', NO_COLOR: '1' },
    io: screen.io,
    home: emptyHome(),
    program: ['node', 'hoop'],
    version: '0.0.0',
    signal: new AbortController().signal,
    takeSignals: () => () => undefined,
  })
  const over = runReplay(runtime, { session: 'ses_1', ...options }).finally(() => runtime.close())
  return { screen, over }
}

test('away from a terminal a recording is plain text, in order with the scenes around it', async () => {
  const text = await replayed(await recorded())
  expect(text).not.toContain('\u001b')
  const places = [
    'pg-prod> shell',
    'recording of shell (cmd_1, 80x24',
    'welcome to shop-1\n$ uptime\n up 400 days\n',
    '[refused: rm -rf /]',
    'bye\n',
    'done',
    'pg-prod> cat /etc/motd',
    'cat: /etc/motd: no such file\n',
    'failed',
    'ends: ended by the user',
  ].map((part) => text.indexOf(part))
  expect(places).not.toContain(-1)
  expect(places).toEqual(places.toSorted((a, b) => a - b))
})

test('on a terminal it is shown as it was, in its time, and what a terminal must not get is left out', async () => {
  const { screen, over } = onScreen(await recorded())
  await screen.until('welcome to shop-1')
  const begun = performance.now()
  expect(screen.text()).not.toContain('up 400 days')
  expect(screen.isRaw()).toBe(true)
  await screen.until('up 400 days')
  expect(performance.now() - begun).toBeGreaterThan(150)
  await over
  expect(screen.isRaw()).toBe(false)
  expect(screen.written()).toContain('\u001b[1mshop-1\u001b[0m')
  expect(screen.written()).not.toContain('52;c')
  await screen.until((text) => /refused: rm -rf \/[\s\S]*ends: ended by the user/.test(text))
})

test('pauses, goes on and ends by keys', async () => {
  const { screen, over } = onScreen(await recorded(), { speed: 0.25 })
  await screen.until('welcome')
  screen.press(' ')
  // Four times as slow, so that a busy machine still hears the key in time.
  await sleep(2000)
  expect(screen.text()).not.toContain('up 400 days')
  screen.press(' ')
  await screen.until('up 400 days')
  screen.press('q')
  await over
  expect(screen.text()).not.toContain('cat /etc/motd')
  expect(screen.isRaw()).toBe(false)
})

test('goes back: the screen is drawn anew from the beginning', async () => {
  const { screen, over } = onScreen(await recorded(), { speed: 0.25 })
  await screen.until('up 400 days')
  screen.press('\u001b[D')
  await screen.until((text) => text.includes('welcome') && !text.includes('up 400 days'))
  screen.press('\u001b[C')
  await screen.until('bye')
  await over
})

test('Ctrl-C gives the terminal back', async () => {
  const gateway = await startTestGateway()
  gateway.sessions.push(paperSession({ id: 'ses_1' }))
  await gateway.audit.append([sessionStart()])
  const editor = await gateway.recordings
    .of({ session: 'ses_1' })
    .start(permitFor('cmd_1'), { ...head, title: 'shell' }, () => undefined)
  editor.output(Buffer.from('\u001b[?1049h\u001b[?25l\u001b[5;10rediting'))
  await sleep(1000)
  editor.output(Buffer.from('later'))
  await editor.end(0)
  const { screen, over } = onScreen(gateway)
  await screen.until('editing')
  expect(screen.isAlternate()).toBe(true)
  screen.press(keys.ctrlC)
  await over
  await expect.poll(() => screen.isAlternate()).toBe(false)
  expect(screen.isRaw()).toBe(false)
  expect(screen.written()).toContain('\u001b[?25h')
  expect(screen.written()).not.toContain('later')
})

test('starts where it is asked to, and shows at once what was before', async () => {
  const gateway = await recorded()
  const events = (await replayed(gateway, { json: true, command: 'cmd_1' }))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const at = (scene: string, text = '') =>
    events.find((event) => event.scene === scene && (event.text ?? '').includes(text)).atMs
  const seek = at('shown', 'up 400 days') - at('recording')
  // So slow that it would take a minute from the beginning.
  const { screen, over } = onScreen(gateway, { command: 'cmd_1', seek, speed: 0.005 })
  await screen.until('up 400 days')
  expect(screen.text()).toContain('welcome to shop-1')
  screen.press('q')
  await over
  expect(screen.text()).not.toContain('bye')
})

test('finds what was typed or shown, across colours and cuts', async () => {
  const gateway = await recorded()
  for (const search of ['WELCOME to shop-1', 'uptime', 'no such file', 'cat /etc']) {
    const text = await replayed(gateway, { search })
    expect(text).toContain('ends: ended by the user')
  }
  // The first recording was over by then: it is named, not shown.
  const text = await replayed(gateway, { search: 'no such file' })
  expect(text).toContain('recording of shell')
  expect(text).not.toContain('welcome')
  await expect(replayed(gateway, { search: 'never said' })).rejects.toMatchObject({ code: 'not-found' })
})

test('plays one command alone', async () => {
  const gateway = await recorded()
  const text = await replayed(gateway, { command: 'cmd_2' })
  expect(text).toContain('no such file')
  expect(text).not.toContain('welcome')
  expect(text).not.toContain('ends: ')
  await expect(replayed(gateway, { command: 'cmd_3' })).rejects.toMatchObject({ code: 'not-found' })
})

test('as NDJSON: recordings among the scenes, and of one command what was shown and typed', async () => {
  const gateway = await recorded()
  const items = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  const all = items(await replayed(gateway, { json: true }))
  expect(all.map(({ scene }) => scene)).toEqual([
    'start',
    'asked',
    'recording',
    'answered',
    'asked',
    'recording',
    'answered',
    'end',
  ])
  expect(all[2]).toMatchObject({ command: 'cmd_1', title: 'shell', state: 'ended', width: 80 })
  const one = items(await replayed(gateway, { json: true, command: 'cmd_1' }))
  expect(one.map(({ scene }) => scene)).toEqual([
    'asked',
    'recording',
    'shown',
    'typed',
    'shown',
    'marked',
    'shown',
    'exited',
    'answered',
  ])
  expect(one[3]).toMatchObject({ text: 'uptime\r', command: 'cmd_1' })
})

async function exported(gateway: TestGateway, options: Partial<ReplayOptions> = {}) {
  const file = join(emptyHome(), 'session.cast')
  await replayed(gateway, { export: file, ...options })
  const text = readFileSync(file, 'utf8')
  const [first = '', ...rest] = text.trimEnd().split('\n')
  const read = createEventReader()
  return { text, header: parseHeader(first), events: rest.map(read).filter((event) => event !== undefined), rest }
}

test('exports one recording as a file that is a valid asciicast v3 and safe to play', async () => {
  const { text, header, events, rest } = await exported(await recorded(), { command: 'cmd_1' })
  expect(header).toMatchObject({ version: 3, term: { cols: 80, rows: 24, type: 'xterm' }, title: 'shell' })
  expect(rest.every((line) => line === endLine || /^\[\d+\.\d{3},"[oimrx]","/.test(line))).toBe(true)
  expect(text).not.toContain('52;c')
  expect(events.filter(({ code }) => code === 'i')).toMatchObject([{ data: 'uptime\r' }])
  expect(events.at(-1)).toMatchObject({ code: 'x', data: '0' })
  const [first, second] = events.filter(({ code }) => code === 'o')
  expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(250)
})

test('exports several one after the other, each behind a marker', async () => {
  const gateway = await recorded()
  const { header, events } = await exported(gateway, { skipIdle: 100 })
  expect(header?.title).toBe('ses_1 (2 recordings)')
  expect(events.filter(({ code }) => code === 'm').map(({ data }) => data)).toEqual([
    'shell',
    'refused: rm -rf /',
    'cat /etc/motd',
  ])
  expect(events.filter(({ code }) => code === 'x')).toMatchObject([{ data: '1' }])
  const gaps = events.map(({ atMs }, index) => atMs - (events[index - 1]?.atMs ?? 0))
  expect(Math.max(...gaps)).toBeLessThanOrEqual(100)
})

test('writes over no file, and makes none where there is nothing to export', async () => {
  const gateway = await recorded()
  const { runtime } = terminalOf(gateway)
  const home = emptyHome()
  const file = join(home, 'new.cast')
  await runReplay(runtime, { session: 'ses_1', export: file })
  await expect(runReplay(runtime, { session: 'ses_1', export: file })).rejects.toMatchObject({ code: 'usage' })
  const empty = await startTestGateway()
  empty.sessions.push(paperSession({ id: 'ses_1' }))
  await empty.audit.append([sessionStart()])
  const none = join(home, 'none.cast')
  await expect(replayed(empty, { export: none })).rejects.toMatchObject({ code: 'not-found' })
  expect(existsSync(none)).toBe(false)
})

test('says so when a recording is not the one the audit speaks of', async () => {
  const gateway = await startTestGateway()
  gateway.sessions.push(paperSession({ id: 'ses_1' }))
  await gateway.audit.append([sessionStart(), command('cmd_1', { text: 'true' })])
  const { start } = gateway.recordings.of({ session: 'ses_1' })
  const recorder = await start(permitFor('cmd_1'), { ...head, title: 'true' }, () => undefined)
  const { bytes } = await recorder.end(0)
  end(gateway, 'cmd_1', { status: 'done', recording: { sha256: 'f'.repeat(64), bytes } })
  await gateway.audit.append([sessionEnd()])
  const terminal = terminalOf(gateway)
  await runReplay(terminal.runtime, { session: 'ses_1' })
  expect(terminal.stderr()).toContain('the recording of cmd_1 is not the one the audit speaks of')
  expect(terminal.runtime.exitCode).toBe(1)
})

test('a recording that goes on still is shown as far as it is', async () => {
  const gateway = await startTestGateway()
  gateway.sessions.push(paperSession({ id: 'ses_1' }))
  await gateway.audit.append([sessionStart()])
  const recorder = await gateway.recordings
    .of({ session: 'ses_1' })
    .start(permitFor('cmd_1'), { ...head, title: 'top' }, () => undefined)
  recorder.output(Buffer.from('first screen\r\n'))
  await expect.poll(() => replayed(gateway)).toContain('first screen')
  expect(await replayed(gateway)).toContain('goes on still')
  await recorder.end(null)
})
