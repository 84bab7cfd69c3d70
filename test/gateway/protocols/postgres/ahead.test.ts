/** Commands of one pipeline are taken to the checkpoint together, and forwarded one after the other all the same. */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Refusal } from '../../../../src/contract/refusal.ts'
import { type Postgres, startPostgres } from '../../../../src/demo/postgres.ts'
import { bind, byHand, execute, hear, openDoorTo, parse, run, sync } from '../../../support/by-hand.ts'
import { createRecordingCheckpoint, type Door, type RecordingCheckpoint } from '../../../support/conversation.ts'

const failing = 'SELECT 1/(random()*0)::int'
const insert = 'INSERT INTO marks VALUES (3)'
const no: Refusal = { code: 'audit-unavailable', message: 'it cannot be written down', next: 'try later' }

let server: Postgres
let door: Door
let checkpoint: RecordingCheckpoint

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } })
  await server.query('CREATE TABLE marks (n int)')
}, 60_000)
afterAll(() => server.stop())
afterEach(() => door.close())

/**
 * Nothing is cleared before `release`; `verdictOf` is what policy says beforehand. A statement's first reading takes a
 * moment, and nothing is looked at ahead that takes one: those of these tests have been read.
 */
async function open(
  refusalOf: (text: string) => Refusal | undefined = () => undefined,
  verdictOf: (text: string) => 'allow' | 'hold' | 'deny' = () => 'allow',
) {
  let gate: PromiseWithResolvers<void> | undefined
  checkpoint = createRecordingCheckpoint(
    async ([command]) => {
      await gate?.promise
      return gate === undefined ? undefined : refusalOf(command?.text ?? '')
    },
    ({ text }) => ({
      verdict: gate === undefined ? 'allow' : verdictOf(text),
      rule: 'test',
      reason: 'test',
      config: '',
    }),
  )
  door = await openDoorTo(server, checkpoint)
  const end = await byHand(door)
  for (const sql of ['SELECT 1', 'SELECT 2', 'SELECT 3', failing, insert]) end.say(run(sql), sync)
  await hear(end, 5)
  await server.query('TRUNCATE marks')
  checkpoint.asked.length = 0
  checkpoint.outcomes.length = 0
  gate = Promise.withResolvers()
  return { release: gate.resolve, end }
}

const texts = () => checkpoint.asked.map(({ text }) => text)
/** What was asked for while the first command is still being cleared. */
async function askedFor(count: number): Promise<readonly string[]> {
  for (let turn = 0; turn < 100 && texts().length < count; turn += 1) await pause(5)
  await pause(20)
  return texts()
}
const ends = () => checkpoint.outcomes.map(({ text, outcome }) => `${text}: ${outcome.status}`)

it('what waits in one pipeline is cleared together, and answered in order', async () => {
  const { end, release } = await open()
  end.say(run('SELECT 1'), run('SELECT 2'), run('SELECT 3'), sync)
  expect(await askedFor(3)).toEqual(['SELECT 1', 'SELECT 2', 'SELECT 3'])
  release()
  const one = ['1', '2', 'D', 'C:SELECT 1']
  expect(await hear(end)).toEqual([...one, ...one, ...one, 'Z:I'])
  expect(ends()).toEqual(['SELECT 1: done', 'SELECT 2: done', 'SELECT 3: done'])
  expect(texts()).toHaveLength(3)
  end.socket.destroy()
})

it('a prepared statement too, with the values of each Bind', async () => {
  const { end, release } = await open()
  const once = Buffer.concat([bind('two'), execute()])
  end.say(parse('SELECT 2', 'two'), sync)
  await hear(end)
  end.say(once, once, once, once, sync)
  expect(await askedFor(4)).toHaveLength(4)
  release()
  const answer = ['2', 'D', 'C:SELECT 1']
  expect(await hear(end)).toEqual([...answer, ...answer, ...answer, ...answer, 'Z:I'])
  expect(ends()).toEqual(Array(4).fill('SELECT 2: done'))
  end.socket.destroy()
})

describe('the look ahead ends at', () => {
  it('what policy would hold', async () => {
    const { end, release } = await open(undefined, (text) => (text === 'SELECT 2' ? 'hold' : 'allow'))
    end.say(run('SELECT 1'), run('SELECT 2'), run('SELECT 3'), sync)
    expect(await askedFor(1)).toEqual(['SELECT 1'])
    release()
    await hear(end)
    expect(ends()).toEqual(['SELECT 1: done', 'SELECT 2: done', 'SELECT 3: done'])
    end.socket.destroy()
  })

  it('what policy would deny, behind which nothing is asked for', async () => {
    const { end, release } = await open(
      (text) => (text === 'SELECT 2' ? no : undefined),
      (text) => (text === 'SELECT 2' ? 'deny' : 'allow'),
    )
    end.say(run('SELECT 1'), run('SELECT 2'), run('SELECT 3'), sync)
    expect(await askedFor(1)).toEqual(['SELECT 1'])
    release()
    await hear(end)
    expect(texts()).toEqual(['SELECT 1', 'SELECT 2'])
    end.socket.destroy()
  })

  it.each([
    ['what changes the meaning of others', "SET search_path = 'elsewhere'"],
    ['what changes the schema', 'CREATE TEMP TABLE t ()'],
    ['what cannot be known before it runs', "DO $$ BEGIN EXECUTE 'SELECT 1'; END $$"],
  ])('%s', async (_what, sql) => {
    const { end, release } = await open()
    end.say(run('SELECT 1'), run(sql), run('SELECT 3'), sync)
    expect(await askedFor(1)).toEqual(['SELECT 1'])
    release()
    await hear(end)
    expect(ends().map((line) => line.replace(/.*: /s, ''))).toEqual(['done', 'done', 'done'])
    end.socket.destroy()
  })

  it('a Sync: what is behind it is another group', async () => {
    const { end, release } = await open()
    end.say(run('SELECT 1'), sync, run('SELECT 2'), sync)
    expect(await askedFor(1)).toEqual(['SELECT 1'])
    release()
    await hear(end, 2)
    expect(ends()).toEqual(['SELECT 1: done', 'SELECT 2: done'])
    end.socket.destroy()
  })
})

it('a held command lets nothing behind it be cleared before it is decided', async () => {
  const { end, release } = await open(undefined, (text) => (text === 'SELECT 1' ? 'hold' : 'allow'))
  end.say(run('SELECT 1'), run('SELECT 2'), sync)
  expect(await askedFor(1)).toEqual(['SELECT 1'])
  release()
  await hear(end)
  expect(ends()).toEqual(['SELECT 1: done', 'SELECT 2: done'])
  end.socket.destroy()
})

it('what was cleared behind a command that fails at the target is settled as not run, once', async () => {
  const { end, release } = await open()
  end.say(run(failing), run('SELECT 2'), run('SELECT 3'), sync)
  await askedFor(3)
  release()
  expect(await hear(end)).toEqual(['1', '2', 'E:22012', 'Z:I'])
  end.say(run('SELECT 4'), sync)
  await hear(end)
  expect(ends().toSorted()).toEqual([`${failing}: failed`, 'SELECT 2: not-run', 'SELECT 3: not-run', 'SELECT 4: done'])
  end.socket.destroy()
})

it('what was cleared behind a refused command is never forwarded', async () => {
  const { end, release } = await open((text) => (text === 'SELECT 2' ? no : undefined))
  end.say(run('SELECT 1'), run('SELECT 2'), run(insert), sync)
  expect(await askedFor(3)).toHaveLength(3)
  release()
  expect(await hear(end)).toEqual(['1', '2', 'D', 'C:SELECT 1', '1', '2', 'E:42501', 'Z:I'])
  expect(await server.query('SELECT count(*)::int AS n FROM marks')).toMatchObject([{ n: 0 }])
  for (let turn = 0; turn < 100 && ends().length < 2; turn += 1) await pause(5)
  expect(ends().toSorted()).toEqual([`${insert}: not-run`, 'SELECT 1: done'])
  end.socket.destroy()
})

it('a kill in the middle forwards nothing of what was cleared, and leaves nothing unsettled', async () => {
  const { end, release } = await open()
  end.say(run('SELECT 1'), run('SELECT 2'), run(insert), sync)
  expect(await askedFor(3)).toHaveLength(3)
  door.kill({ code: 'killed', message: 'killed by a test', next: 'nothing' })
  release()
  for (let turn = 0; turn < 100 && ends().length < 3; turn += 1) await pause(5)
  expect(ends()).toEqual(['SELECT 1: not-run', 'SELECT 2: not-run', `${insert}: not-run`])
  expect(await server.query('SELECT count(*)::int AS n FROM marks')).toMatchObject([{ n: 0 }])
  end.socket.destroy()
})
