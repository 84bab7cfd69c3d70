/**
 * What one conversation learns of the catalog, the others know too; what one changes, the others are judged by at once. Each
 * test has a function of its own, which reads until somebody replaces it by one that writes.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { type Postgres, startPostgres } from '../../../../src/demo/postgres.ts'
import { flush } from '../../../../src/gateway/protocols/postgres/messages.ts'
import { bind, byHand, execute, hear, openDoorTo, parse, query, sync } from '../../../support/by-hand.ts'
import { createRecordingCheckpoint, type Door, type RecordingCheckpoint } from '../../../support/conversation.ts'
import type { End } from '../../../support/script.ts'

let count = 0
let twist: string
const define = (body: string) => `CREATE OR REPLACE FUNCTION ${twist}() RETURNS int LANGUAGE sql AS $$ ${body} $$`
const writing = () => define('DELETE FROM things RETURNING 1')

let server: Postgres
let door: Door
let checkpoint: RecordingCheckpoint

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } })
  await server.query('CREATE TABLE things (id int)')
}, 60_000)
afterAll(() => server.stop())

beforeEach(async () => {
  twist = `twist_${count++}`
  await server.query(define('SELECT 1'))
  checkpoint = createRecordingCheckpoint()
  door = await openDoorTo(server, checkpoint)
})
afterEach(() => door.close())

async function ask(end: End, sql: string): Promise<void> {
  end.say(query(sql))
  await hear(end)
}

/** How the call of the function is judged now, by somebody else's connection. */
async function kindOfCall(end: End): Promise<string | undefined> {
  await ask(end, `SELECT ${twist}()`)
  return checkpoint.asked.at(-1)?.facts.kind
}

it('is asked once for all conversations that log in alike', async () => {
  const first = await byHand(door)
  expect(await kindOfCall(first)).toBe('read')
  const sides = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'hoop side'"
  const before = await server.query(sides)
  for (let n = 0; n < 3; n += 1) expect(await kindOfCall(await byHand(door))).toBe('read')
  // Whoever had to ask would have opened a side connection of its own.
  expect(await server.query(sides)).toEqual(before)
})

it.each([
  ['in one query', async (end: End) => ask(end, writing())],
  ['in a block that hides it', async (end: End) => ask(end, `DO $do$ BEGIN EXECUTE '${writing()}'; END $do$`)],
])('is stale for everyone when somebody has replaced a function %s', async (_, replace) => {
  const other = await byHand(door)
  expect(await kindOfCall(other)).toBe('read')
  await replace(await byHand(door))
  expect(await kindOfCall(other)).toBe('write')
  expect(await kindOfCall(await byHand(door))).toBe('write')
})

// What others learn before it is committed is from before; and nobody asks again because of the COMMIT itself.
it.each([
  [
    'a COMMIT',
    async (end: End) => {
      for (const sql of ['BEGIN', writing()]) await ask(end, sql)
    },
    async (end: End) => ask(end, 'COMMIT'),
  ],
  [
    'the Sync of the extended protocol',
    async (end: End) => {
      end.say(parse(writing()), bind(), execute(), flush)
      await hear(end, 1, 'C:CREATE FUNCTION')
    },
    async (end: End) => {
      end.say(sync)
      await hear(end)
    },
  ],
])('is stale once more at %s, although it was learnt anew after the change', async (_, replace, commit) => {
  const [one, other] = [await byHand(door), await byHand(door)]
  await replace(one)
  expect(await kindOfCall(other)).toBe('read')
  await commit(one)
  expect(await kindOfCall(other)).toBe('write')
})

it('is not believed while nobody knows whether the change of a client that is gone has been committed', async () => {
  const [gone, other] = [await byHand(door), await byHand(door)]
  for (const sql of ['BEGIN', writing()]) await ask(gone, sql)
  expect(await kindOfCall(other)).toBe('read')
  gone.say(query('COMMIT'))
  gone.socket.destroy()
  await vi.waitFor(async () => {
    const [row] = await server.query('SELECT prosrc FROM pg_proc WHERE proname = $1', [twist])
    expect(row?.prosrc).toContain('DELETE')
  })
  expect(await kindOfCall(other)).toBe('write')
})
