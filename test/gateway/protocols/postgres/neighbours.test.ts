/** One bad neighbour hurts nobody: who does not read, on either side, costs bounded memory and delays nobody else. */
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { type Postgres, startPostgres } from '../../../../src/demo/postgres.ts'
import { frame } from '../../../../src/gateway/protocols/postgres/wire.ts'
import { byHand, hear, openDoorTo, query } from '../../../support/by-hand.ts'
import { createRecordingCheckpoint, type Door } from '../../../support/conversation.ts'
import type { End } from '../../../support/script.ts'
import { memory } from '../contract.ts'

const megabyte = 1024 * 1024
let server: Postgres
let door: Door

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } })
}, 60_000)
afterAll(() => server.stop())
afterEach(() => door.close())

async function open(): Promise<void> {
  door = await openDoorTo(server, createRecordingCheckpoint())
  // Loads the parser, which is large, before anything is measured.
  await expectQuickAnswers()
}

async function expectQuickAnswers(): Promise<void> {
  const quick = await byHand(door)
  const began = performance.now()
  for (let n = 0; n < 20; n += 1) {
    quick.say(query('SELECT 1'))
    expect(await hear(quick)).toEqual(['T', 'D', 'C:SELECT 1', 'Z:I'])
  }
  expect(performance.now() - began).toBeLessThan(2000)
  quick.socket.destroy()
}

/** The rest of what this client is sent: how much, how it ends, and the most memory that was taken meanwhile. */
async function drain({ socket }: End): Promise<{ bytes: number; tail: string; peak: number }> {
  let bytes = 0
  let peak = 0
  let tail: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    tail = Buffer.concat([tail, chunk]).subarray(-6)
    peak = Math.max(peak, memory())
    if (tail.equals(frame('Z', Buffer.from('I')))) socket.emit('drained')
  })
  const drained = once(socket, 'drained')
  socket.resume()
  await drained
  return { bytes, tail: tail.toString('latin1', 5), peak }
}

it.each([
  ['300 MB of rows', "SELECT repeat('x', 1000) FROM generate_series(1, 300000)", 300_000_000],
  ['one value of 200 MB', "SELECT repeat('x', 200000000)", 200_000_000],
])(
  'a client that stops reading %s',
  async (_, sql, size) => {
    await open()
    const slow = await byHand(door)
    slow.socket.removeAllListeners('data')
    slow.socket.pause()
    const before = memory()
    slow.say(query(sql))
    // Everything between the two is full once the server cannot write any more.
    const blocked = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'ClientWrite' AND query LIKE 'SELECT repeat%'"
    for (let times = 0; times < 5; await pause(20)) times = (await server.query(blocked)).length === 1 ? times + 1 : 0
    expect(memory() - before).toBeLessThan(100 * megabyte)
    await expectQuickAnswers()

    const { bytes, peak } = await drain(slow)
    expect(bytes).toBeGreaterThan(size)
    expect(peak - before).toBeLessThan(200 * megabyte)
    slow.socket.destroy()
  },
  60_000,
)

it('a target that stops reading 300 MB', async () => {
  await server.query('CREATE TABLE filled (t text)')
  await open()
  const locker = await byHand(door)
  locker.say(query('BEGIN; LOCK TABLE filled'))
  await hear(locker)
  const eager = await byHand(door)
  const before = memory()
  // The server waits for the lock, and takes no data before it has it.
  eager.say(query('COPY filled FROM STDIN'))
  const line = frame('d', Buffer.from(`${'x'.repeat(megabyte - 1)}\n`))
  let sent = 0
  async function send(): Promise<void> {
    for (; sent < 300; sent += 1) if (!eager.socket.write(line)) await once(eager.socket, 'drain')
  }
  const sending = send()
  // Nothing moves any more.
  for (let last = -1; last !== sent; await pause(300)) last = sent
  expect(sent).toBeLessThan(50)
  expect(memory() - before).toBeLessThan(100 * megabyte)
  await expectQuickAnswers()

  locker.say(query('COMMIT'))
  await sending
  eager.say(frame('c'))
  await vi.waitFor(
    async () => expect(await server.query('SELECT count(*)::int AS n FROM filled')).toEqual([{ n: 300 }]),
    30_000,
  )
  expect(await hear(eager)).toEqual(['G', 'C:COPY 300', 'Z:I'])
  expect(memory() - before).toBeLessThan(200 * megabyte)
}, 90_000)
