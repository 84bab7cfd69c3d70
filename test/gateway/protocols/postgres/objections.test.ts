/** What the conversation refuses by itself, before any rule is asked: that is written down too. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type Postgres, startPostgres } from '../../../../src/demo/postgres.ts'
import { cstring, frame, int16, int32 } from '../../../../src/gateway/protocols/postgres/wire.ts'
import { bind, byHand, execute, hear, openDoorTo, parse, query, sync } from '../../../support/by-hand.ts'
import { createRecordingCheckpoint, type Door } from '../../../support/conversation.ts'

let server: Postgres
let door: Door

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } })
}, 60_000)
afterAll(() => server.stop())
afterEach(() => door?.close())

async function open() {
  const checkpoint = createRecordingCheckpoint()
  door = await openDoorTo(server, checkpoint)
  return { checkpoint, end: await byHand(door) }
}

it('a name that the server may take for another', async () => {
  const { checkpoint, end } = await open()
  end.say(parse('SELECT 1', Buffer.from('é'.repeat(40))), sync)
  expect(await hear(end)).toEqual(['E:42501', 'Z:I'])
  expect(checkpoint.log).toEqual(['refuse SELECT 1'])
  end.socket.destroy()
})

it('a portal bound to a statement that nobody knows', async () => {
  const { checkpoint, end } = await open()
  end.say(bind('nobody', 'p'), execute(0, 'p'), sync)
  expect(await hear(end)).toEqual(['E:26000', 'Z:I'])
  expect(checkpoint.log).toEqual(['refuse EXECUTE of portal "p"'])
  end.socket.destroy()
})

it('values too large to be shown before planning runs the statement', async () => {
  await server.query('CREATE SEQUENCE planned')
  await server.query(
    "CREATE FUNCTION sly() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN PERFORM nextval('planned'); RETURN 1; END$$",
  )
  const { checkpoint, end } = await open()
  const value = Buffer.alloc(200_000, 'x')
  end.say(
    parse('SELECT sly(), $1::text'),
    frame('B', cstring(''), cstring(''), int16(0), int16(1), int32(value.length), value, int16(0)),
    execute(),
    sync,
  )
  expect(await hear(end)).toEqual(['1', 'E:42501', 'Z:I'])
  expect(checkpoint.log).toEqual(['refuse SELECT sly(), $1::text'])
  expect(await server.query('SELECT is_called FROM planned')).toEqual([{ is_called: false }])
  end.say(query('SELECT 1'))
  expect(await hear(end)).toEqual(['T', 'D', 'C:SELECT 1', 'Z:I'])
  end.socket.destroy()
})
