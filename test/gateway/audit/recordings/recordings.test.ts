import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { type CastEvent, createEventReader, parseHeader } from '../../../../src/contract/asciicast.ts'
import { createRecordings, type RecordingStore } from '../../../../src/gateway/audit/recordings.ts'
import { createRecorder } from '../../../../src/gateway/audit/recordings/recorder.ts'
import type { Recorder } from '../../../../src/gateway/protocols/protocol.ts'
import { permitFor } from '../../../support/permits.ts'
import { storePath } from '../../../support/store-folder.ts'

const head = { width: 100, height: 30, title: 'a shell', term: 'xterm-256color' }
const mib = 1 << 20

interface Kept {
  readonly recordings: RecordingStore
  readonly recorder: Recorder
  readonly lost: unknown[]
  readonly path: string
  text(): string
  events(): readonly CastEvent[]
}

async function begin({ limit = 64 * mib, store = storePath() } = {}): Promise<Kept> {
  const recordings = createRecordings({ store, flush: true, limit: () => limit, clock: systemClock })
  onTestFinished(() => recordings.close())
  const lost: unknown[] = []
  const recorder = await recordings.of({ session: 'ses_1' }).start(permitFor('cmd_1'), head, (why) => lost.push(why))
  const path = join(folderOf(store), 'ses_1', 'cmd_1.cast')
  const text = () => readFileSync(path, 'utf8')
  return { recordings, recorder, lost, path, text, events: () => eventsIn(text()) }
}

function folderOf(store: string): string {
  return `${store.replace(/\.db$/, '')}-recordings`
}

function eventsIn(text: string): readonly CastEvent[] {
  const read = createEventReader()
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(1)
    .map(read)
    .filter((event) => event !== undefined)
}

const shownIn = (events: readonly CastEvent[], code = 'o') =>
  events
    .filter((event) => event.code === code)
    .map(({ data }) => data)
    .join('')

test('writes the header before it begins, readable by the owner alone', async () => {
  const { text, path } = await begin()
  expect(parseHeader(text().split('\n')[0] ?? '')).toMatchObject({
    version: 3,
    term: { cols: 100, rows: 30, type: 'xterm-256color' },
    title: 'a shell',
    hoop: { session: 'ses_1', command: 'cmd_1' },
  })
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
  expect(statSync(dirname(dirname(path))).mode & 0o777).toBe(0o700)
})

test('keeps what was shown, typed, resized and said, in order, and ends with a proof of it', async () => {
  const { recorder, text, events, recordings } = await begin()
  recorder.output(Buffer.from('$ '))
  recorder.input(Buffer.from('ls\r'))
  recorder.output(Buffer.from('ls\r\nREADME\r\n'))
  recorder.resize(120, 40)
  recorder.marker('refused: rm -rf /')
  expect(await recordings.list('ses_1')).toMatchObject([{ command: 'cmd_1', state: 'live', title: 'a shell' }])
  const proof = await recorder.end(3)
  expect(events().map(({ code, data }) => [code, data])).toEqual([
    ['o', '$ '],
    ['i', 'ls\r'],
    ['o', 'ls\r\nREADME\r\n'],
    ['r', '120x40'],
    ['m', 'refused: rm -rf /'],
    ['x', '3'],
  ])
  const bytes = Buffer.from(text())
  expect(proof).toEqual({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
  expect(await recordings.list('ses_1')).toMatchObject([{ state: 'ended', bytes: bytes.length, width: 100 }])
})

test('one event is what came close together, and times add up to what they were', async () => {
  const { recorder, events } = await begin()
  await sleep(120)
  for (const letter of 'together') recorder.output(Buffer.from(letter))
  await sleep(120)
  recorder.output(Buffer.from('apart'))
  await recorder.end(null)
  const [first, second] = events()
  expect(events().map(({ data }) => data)).toEqual(['together', 'apart'])
  expect(first?.atMs).toBeGreaterThanOrEqual(110)
  expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(110)
  expect(second?.atMs).toBeLessThan(2000)
})

test('holds the beginning of a character back until it is whole, however it is cut', async () => {
  const { recorder, events } = await begin()
  const text = 'grün 雪 👩🏽‍🚒 – ok\r\n'
  for (const byte of Buffer.from(text)) {
    recorder.output(Uint8Array.of(byte))
    // What is typed in between has characters of its own.
    recorder.input(Buffer.from('ü').subarray(0, 1))
    recorder.input(Buffer.from('ü').subarray(1))
  }
  recorder.output(Uint8Array.of(0xff, 0x41, 0xe9))
  await recorder.end(0)
  expect(shownIn(events())).toBe(`${text}\ufffdA\ufffd`)
  expect(shownIn(events(), 'i')).toBe('ü'.repeat(Buffer.byteLength(text)))
})

test('flushes without being asked', async () => {
  const { recorder, text } = await begin()
  recorder.output(Buffer.from('seen before the end'))
  for (let waited = 0; !text().includes('seen before the end'); waited += 20) {
    expect(waited).toBeLessThan(2000)
    await sleep(20)
  }
  await recorder.end(0)
})

test('is on the disk within a second, and asks nothing of it in quiet times', async () => {
  const file = await open(storePath(), 'w')
  const flushes = vi.spyOn(file, 'datasync')
  const options = { file, header: '{}', limit: mib, flush: true, clock: systemClock, onLost: () => undefined }
  const recorder = await createRecorder(options)
  recorder.output(Buffer.from('something'))
  await expect.poll(() => flushes.mock.calls.length, { timeout: 1500 }).toBe(1)
  await sleep(2100)
  expect(flushes).toHaveBeenCalledTimes(1)
  recorder.output(Buffer.from('something else'))
  await expect.poll(() => flushes.mock.calls.length, { timeout: 1500 }).toBe(2)
  await recorder.end(0)
})

test('keeps no bytes that are not text, and says how many there were', async () => {
  const { recorder, events, text } = await begin()
  recorder.output(Buffer.from('before\r\n'))
  for (let count = 0; count < 64; count += 1) recorder.output(randomBytes(16 * 1024))
  recorder.input(Buffer.alloc(4096))
  recorder.output(Buffer.from('after\r\n'))
  await recorder.end(0)
  expect(shownIn(events())).toBe('before\r\nafter\r\n')
  expect(shownIn(events(), 'm')).toContain('1 MiB of output not kept: they are not text')
  expect(shownIn(events(), 'm')).toContain('4 KiB of input not kept: they are not text')
  expect(text().length).toBeLessThan(1000)
})

test('keeps text in any language, colours and cursor movements', async () => {
  const { recorder, events } = await begin()
  const texts = [
    'Привет, мир. '.repeat(50),
    '漢字かな交じり文'.repeat(50),
    '\u001b[31mred\u001b[0m\u001b[3;4H\b\u0007'.repeat(50),
  ]
  for (const text of texts) recorder.output(Buffer.from(text))
  await recorder.end(0)
  expect(shownIn(events())).toBe(texts.join(''))
})

describe('a recording that has reached its limit', () => {
  test('keeps no more output, says so once and says in the end how much was shown', async () => {
    const { recorder, events, text } = await begin({ limit: mib })
    const line = Buffer.from(`${'all work and no play '.repeat(40)}\r\n`)
    const times = Math.ceil((4 * mib) / line.length)
    for (let count = 0; count < times; count += 1) {
      recorder.output(line)
      await recorder.room()
    }
    const proof = await recorder.end(0)
    expect(text().length).toBeLessThan(mib + 1000)
    expect(text().length).toBeGreaterThan(mib * 0.9)
    expect(events().filter(({ code }) => code === 'm')).toMatchObject([
      { data: 'from here on no output is kept: the recording has reached 1 MiB (audit.recording)' },
      { data: 'shown in all: 4 MiB' },
    ])
    expect(events().at(-1)).toMatchObject({ code: 'x', data: '0' })
    expect(proof.bytes).toBe(Buffer.byteLength(text()))
  })

  test('still keeps what is typed', async () => {
    const { recorder, events } = await begin({ limit: 256 * 1024 })
    for (let count = 0; count < 100; count += 1) recorder.output(Buffer.from('x'.repeat(8000)))
    recorder.input(Buffer.from('rm -rf /\r'))
    await recorder.end(0)
    expect(shownIn(events(), 'i')).toBe('rm -rf /\r')
  })
})

test('who shows much and does not wait fills neither memory nor the event loop', async () => {
  const { recorder, events } = await begin({ limit: 1024 * mib })
  const chunk = Buffer.from('0123456789abcdef'.repeat(4096))
  for (let count = 0; count < 1600; count += 1) recorder.output(chunk)
  await recorder.room()
  recorder.output(Buffer.from('\r\nand on\r\n'))
  await recorder.end(0)
  const marked = shownIn(events(), 'm')
  expect(marked).toMatch(/^\d[\d.]* MiB of output not kept: they came faster than they could be written$/)
  expect(shownIn(events()).length).toBeLessThan(24 * mib)
  expect(shownIn(events()).endsWith('\r\nand on\r\n')).toBe(true)
})

test('who waits for room loses nothing', async () => {
  const { recorder, events } = await begin({ limit: 1024 * mib })
  const chunk = Buffer.from('0123456789abcdef'.repeat(4096))
  for (let count = 0; count < 640; count += 1) {
    recorder.output(chunk)
    await recorder.room()
  }
  await recorder.end(0)
  expect(shownIn(events()).length).toBe(640 * chunk.length)
  expect(shownIn(events(), 'm')).toBe('')
})

describe('what cannot be kept', () => {
  test('does not begin: the folder is not one', async () => {
    const store = storePath()
    writeFileSync(folderOf(store), 'in the way')
    await expect(begin({ store })).rejects.toThrow(/ENOTDIR|EEXIST/)
  })

  test('does not begin: there is a recording of this command already', async () => {
    const { recordings } = await begin()
    await expect(recordings.of({ session: 'ses_1' }).start(permitFor('cmd_1'), head, () => undefined)).rejects.toThrow(
      'EEXIST',
    )
  })

  test.each(['../../etc', 'ses_1/..', 'SES_1', '', 'ses_1\u0000'])(
    'does not begin: %j is not an id',
    async (session) => {
      const { recordings } = await begin()
      const one = recordings.of({ session }).start(permitFor('cmd_2'), head, () => undefined)
      await expect(one).rejects.toThrow('not the id of a session')
      await expect(recordings.list(session)).rejects.toThrow('not the id of a session')
      await expect(recordings.read('ses_1', session)).rejects.toThrow('not the id of a command')
    },
  )

  test.skipIf(process.platform !== 'linux')('is told once when the disk is full, and has no proof', async () => {
    // Every write to /dev/full fails as on a full disk, whoever asks.
    const lost: unknown[] = []
    const full = await open('/dev/full', 'w')
    const real = await open(storePath(), 'w')
    // The header goes to a disk that works; then it is full.
    const file = Object.assign(Object.create(real) as typeof real, {
      appendFile: real.appendFile.bind(real),
      sync: real.sync.bind(real),
      datasync: real.datasync.bind(real),
      close: async () => {
        await real.close()
        await full.close()
      },
    })
    const options = { file, header: '{}', limit: mib, flush: true, clock: systemClock }
    const recorder = await createRecorder({ ...options, onLost: (reason) => lost.push(reason) })
    Object.assign(file, { appendFile: full.appendFile.bind(full) })
    recorder.output(Buffer.from('this is lost'))
    await expect.poll(() => lost).toMatchObject([{ code: 'ENOSPC' }])
    recorder.output(Buffer.from('and this'))
    await expect(recorder.end(0)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(lost).toHaveLength(1)
  })
})

describe('a gateway that is killed', () => {
  test('leaves a recording that is listed, and shows all but the last second', async () => {
    const store = storePath()
    const program = fileURLToPath(new URL('../../../support/dying-recording.ts', import.meta.url))
    const child = spawn(process.execPath, [program, store, 'ses_1', 'cmd_1'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const exited = once(child, 'exit')
    onTestFinished(() => void child.kill('SIGKILL'))
    const said: { readonly line: number; readonly at: number }[] = []
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (text) => {
      const [line, at] = text.split(' ').map(Number)
      if (line !== undefined && at !== undefined) said.push({ line, at })
    })
    await expect.poll(() => said.length, { timeout: 20_000 }).toBeGreaterThan(400)
    child.kill('SIGKILL')
    const killed = Date.now()
    await exited

    const recordings = createRecordings({ store, flush: true, limit: () => mib, clock: systemClock })
    expect(await recordings.list('ses_1')).toMatchObject([{ command: 'cmd_1', state: 'broken', title: 'a shell' }])
    const answer = await recordings.read('ses_1', 'cmd_1')
    const text = (await answer?.stream.toArray())?.join('') ?? ''
    expect(Buffer.byteLength(text)).toBe(answer?.bytes)
    const shown = shownIn(eventsIn(text))
    const due = said.filter(({ at }) => at < killed - 1000)
    expect(due.length).toBeGreaterThan(0)
    for (const { line } of due) expect(shown).toContain(`line ${line} ä`)
  }, 30_000)

  test('may tear the last line, and what is before it is read', async () => {
    const { recorder, recordings, path, text } = await begin()
    recorder.output(Buffer.from('one'))
    recorder.marker('two')
    recorder.output(Buffer.from('three'))
    await recorder.end(0)
    const whole = text()
    const last = whole.indexOf('"three"')
    truncateSync(path, Buffer.byteLength(whole.slice(0, last + 3)))
    expect(eventsIn(text()).map(({ data }) => data)).toEqual(['one', 'two'])
    expect(await recordings.list('ses_1')).toMatchObject([{ state: 'broken' }])
  })

  test('before the first line was there leaves nothing to list', async () => {
    const store = storePath()
    const { recordings } = await begin({ store })
    mkdirSync(join(folderOf(store), 'ses_2'))
    writeFileSync(join(folderOf(store), 'ses_2', 'cmd_9.cast'), '{"version":3,"ter')
    expect(await recordings.list('ses_2')).toEqual([])
    expect(await recordings.list('ses_3')).toEqual([])
    expect(await recordings.read('ses_3', 'cmd_1')).toBeUndefined()
  })
})

test('a gateway that stops writes what there is', async () => {
  const { recorder, recordings, events, path } = await begin()
  recorder.output(Buffer.from('still going'))
  await recordings.close()
  expect(shownIn(events())).toBe('still going')
  expect(await recordings.list('ses_1')).toMatchObject([{ state: 'broken' }])
  expect(readdirSync(dirname(path))).toEqual(['cmd_1.cast'])
})

test('a title hides what a command line must not tell', async () => {
  const { recordings, path } = await begin()
  const title = "psql 'postgres://ana:hunter2@db/shop'"
  await recordings.of({ session: 'ses_1' }).start(permitFor('cmd_2'), { ...head, title }, () => undefined)
  expect(readFileSync(join(dirname(path), 'cmd_2.cast'), 'utf8')).not.toContain('hunter2')
})
