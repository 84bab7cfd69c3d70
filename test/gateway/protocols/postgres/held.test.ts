/** Held commands in every way of asking, at a real server: what people decide, what a cancel does, and who went away. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Postgres, startPostgres } from '../../../../src/demo/postgres.ts'
import { byHand, cancelByHand, hear, openDoorTo, query, run, startup, sync, takeKey } from '../../../support/by-hand.ts'
import { createRecordingCheckpoint, type Door, type RecordingCheckpoint } from '../../../support/conversation.ts'
import { connectAsClient, type End } from '../../../support/script.ts'

let server: Postgres
let door: Door
let checkpoint: RecordingCheckpoint
/** Answers the one hold of a test. */
let decide: (approved: boolean) => void
let held: Promise<void>
let aborted: Promise<void>

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } })
}, 60_000)
afterAll(() => server.stop())

/** Holds whatever drops something. */
beforeEach(async () => {
  const decision = Promise.withResolvers<boolean>()
  const noticed = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  decide = decision.resolve
  held = noticed.promise
  aborted = gone.promise
  checkpoint = createRecordingCheckpoint(async (batch, asking) => {
    if (!batch.some(({ text }) => text.startsWith('DROP'))) return undefined
    asking?.onHold?.({
      approval: 'apr_1',
      session: 'ses_1',
      rule: 'hold-drops',
      message: 'held',
      hint: 'see',
      groups: ['dba'],
      expires: 0,
    })
    noticed.resolve()
    const cancelled = new Promise<'cancelled'>((resolve) => {
      asking?.signal?.addEventListener('abort', () => {
        gone.resolve()
        resolve('cancelled')
      })
    })
    const answer = await Promise.race([decision.promise, cancelled])
    if (answer === true) return undefined
    if (answer === 'cancelled') return { code: 'cancelled', message: 'not run', next: 'ask again' }
    return { code: 'approval-denied', message: 'denied by dba', next: 'talk', rule: 'hold-drops' }
  })
  door = await openDoorTo(server, checkpoint)
  await server.query('CREATE TABLE kept (n int); CREATE TABLE doomed (n int)')
})
afterEach(async () => {
  await door.close()
  await server.query('DROP TABLE IF EXISTS kept, doomed')
})

async function state() {
  const [row] = await server.query(
    "SELECT (SELECT count(*)::int FROM kept) AS kept, to_regclass('doomed') IS NOT NULL AS doomed",
  )
  return row
}

const statements = ['BEGIN', 'INSERT INTO kept VALUES (1)', 'DROP TABLE doomed', 'COMMIT']

interface Way {
  readonly name: string
  /** What is sent at once; the next when the one before was answered. */
  readonly steps: readonly Buffer[]
  readonly approved: readonly string[]
  readonly denied: readonly string[]
}

const done = ['C:BEGIN', 'C:INSERT 0 1', 'C:DROP TABLE', 'C:COMMIT']
const ways: readonly Way[] = [
  {
    name: 'simple, one by one',
    steps: statements.map(query),
    approved: ['C:BEGIN', 'Z:T', 'C:INSERT 0 1', 'Z:T', 'C:DROP TABLE', 'Z:T', 'C:COMMIT', 'Z:I'],
    denied: ['C:BEGIN', 'Z:T', 'C:INSERT 0 1', 'Z:T', 'E:42501', 'Z:E', 'C:ROLLBACK', 'Z:I'],
  },
  {
    name: 'simple, one batch',
    steps: [query(statements.join(';'))],
    approved: [...done, 'Z:I'],
    denied: ['E:42501', 'Z:I'],
  },
  {
    name: 'simple, pipelined',
    steps: [Buffer.concat(statements.map(query))],
    approved: ['C:BEGIN', 'Z:T', 'C:INSERT 0 1', 'Z:T', 'C:DROP TABLE', 'Z:T', 'C:COMMIT', 'Z:I'],
    denied: ['C:BEGIN', 'Z:T', 'C:INSERT 0 1', 'Z:T', 'E:42501', 'Z:E', 'C:ROLLBACK', 'Z:I'],
  },
  {
    name: 'extended, one by one',
    steps: statements.map((sql) => Buffer.concat([run(sql), sync])),
    approved: ['C:BEGIN', 'Z:T', 'C:INSERT 0 1', 'Z:T', 'C:DROP TABLE', 'Z:T', 'C:COMMIT', 'Z:I'],
    denied: ['C:BEGIN', 'Z:T', 'C:INSERT 0 1', 'Z:T', 'E:42501', 'Z:E', 'C:ROLLBACK', 'Z:I'],
  },
  {
    name: 'extended, pipelined before one Sync',
    steps: [Buffer.concat([...statements.map(run), sync])],
    approved: [...done, 'Z:I'],
    // COMMIT is skipped with everything else up to the Sync: the transaction is open, and aborted.
    denied: ['C:BEGIN', 'C:INSERT 0 1', 'E:42501', 'Z:E'],
  },
  {
    name: 'extended, pipelined with a Sync behind each',
    steps: [Buffer.concat(statements.flatMap((sql) => [run(sql), sync]))],
    approved: ['C:BEGIN', 'Z:T', 'C:INSERT 0 1', 'Z:T', 'C:DROP TABLE', 'Z:T', 'C:COMMIT', 'Z:I'],
    denied: ['C:BEGIN', 'Z:T', 'C:INSERT 0 1', 'Z:T', 'E:42501', 'Z:E', 'C:ROLLBACK', 'Z:I'],
  },
]

/** Results, errors and states; that something was parsed, bound or held is not what these tests are about. */
const telling = (heard: readonly string[]) => heard.filter((word) => /^[CEZ]:/.test(word))

async function ask(end: End, steps: readonly Buffer[], expected: readonly string[]): Promise<string[]> {
  const heard: string[] = []
  const groups = expected.filter((word) => word.startsWith('Z')).length / steps.length
  for (const step of steps) {
    end.say(step)
    heard.push(...(await hear(end, groups)))
  }
  return telling(heard)
}

describe.each(ways)('BEGIN; INSERT; DROP; COMMIT: $name', (way) => {
  it('commits when the DROP is approved, and not before', async () => {
    const end = await byHand(door)
    const answers = ask(end, way.steps, way.approved)
    await held
    expect(await state()).toEqual({ kept: 0, doomed: true })
    decide(true)
    expect(await answers).toEqual(way.approved)
    expect(await state()).toEqual({ kept: 1, doomed: false })
    expect(checkpoint.outcomes.map(({ outcome }) => outcome.status)).toEqual(['done', 'done', 'done', 'done'])
    end.socket.destroy()
  })

  it('leaves nothing behind when the DROP is denied', async () => {
    const end = await byHand(door)
    const answers = ask(end, way.steps, way.denied)
    await held
    decide(false)
    expect(await answers).toEqual(way.denied)
    expect(await state()).toEqual({ kept: 0, doomed: true })
    // The session is usable, and where the server says it is.
    end.say(query('ROLLBACK'), query('SELECT 1'))
    expect(telling(await hear(end, 2))).toEqual(['C:ROLLBACK', 'Z:I', 'C:SELECT 1', 'Z:I'])
    expect(await state()).toEqual({ kept: 0, doomed: true })
    end.socket.destroy()
  })
})

describe('a cancel', () => {
  async function withKey(): Promise<{ end: End; key: Buffer }> {
    const end = await connectAsClient(door.port)
    end.say(startup())
    return { end, key: await takeKey(end) }
  }

  it('of what is held in the extended protocol gives it up, and the session goes on', async () => {
    const { end, key } = await withKey()
    end.say(run('DROP TABLE doomed'), sync)
    await held
    await cancelByHand(door, key)
    expect(telling(await hear(end))).toEqual(['E:57014', 'Z:I'])
    end.say(run('SELECT 1'), sync)
    expect(telling(await hear(end))).toEqual(['C:SELECT 1', 'Z:I'])
    expect(await state()).toEqual({ kept: 0, doomed: true })
    end.socket.destroy()
  })

  it('of what is held in a pipeline undoes its group, and the next group runs', async () => {
    const { end, key } = await withKey()
    end.say(run(statements[1] ?? ''), run('DROP TABLE doomed'), run('SELECT 3'), sync, run('SELECT 4'), sync)
    await held
    await cancelByHand(door, key)
    expect(telling(await hear(end, 2))).toEqual(['C:INSERT 0 1', 'E:57014', 'Z:I', 'C:SELECT 1', 'Z:I'])
    expect(await state()).toEqual({ kept: 0, doomed: true })
    expect(checkpoint.asked.map(({ text }) => text)).not.toContain('SELECT 3')
    end.socket.destroy()
  })

  it('while something runs before what is held ends both, with one error', async () => {
    const { end, key } = await withKey()
    end.say(run('SELECT pg_sleep(30)'), run('DROP TABLE doomed'), sync, run('SELECT 4'), sync)
    await held
    // PostgreSQL ignores a cancel that comes before the statement does.
    const running = () => server.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    await vi.waitFor(async () => expect(await running()).toHaveLength(1), 5000)
    await cancelByHand(door, key)
    expect(telling(await hear(end, 2))).toEqual(['E:57014', 'Z:I', 'C:SELECT 1', 'Z:I'])
    expect(await state()).toEqual({ kept: 0, doomed: true })
    end.socket.destroy()
  })
})

describe('a client that goes away', () => {
  it('gives up what it holds, also when it had queued more than is read ahead', async () => {
    const end = await byHand(door)
    end.say(query('DROP TABLE doomed'))
    await held
    const queued = Buffer.concat(Array.from({ length: 8 }, () => query(`SELECT '${'x'.repeat(100_000)}'`)))
    await new Promise((resolve) => end.socket.write(queued, resolve))
    // By the time another conversation has begun, this one's has been read as far ahead as it will be.
    ;(await byHand(door)).socket.destroy()
    end.socket.destroy()
    await aborted
    decide(true)
    expect(await state()).toEqual({ kept: 0, doomed: true })
  })
})
