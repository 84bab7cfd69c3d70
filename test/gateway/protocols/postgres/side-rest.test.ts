/** The gateway's own connection beside the client's: it must neither be in the way nor be needed. */
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { Secret } from '../../../../src/base/secret.ts'
import { type Postgres, startPostgres } from '../../../../src/demo/postgres.ts'
import { login } from '../../../../src/gateway/protocols/postgres/login.ts'
import { createSide, type Side, sideOptions } from '../../../../src/gateway/protocols/postgres/side.ts'
import { hear, openDoorTo, query, startup } from '../../../support/by-hand.ts'
import { createRecordingCheckpoint, type Door } from '../../../support/conversation.ts'
import { connectAsClient } from '../../../support/script.ts'
import { credentialOf } from '../../../support/credentials.ts'

let server: Postgres
let side: Side | undefined
let door: Door | undefined

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } })
}, 60_000)
afterAll(() => server.stop())
afterEach(async () => {
  side?.close()
  await door?.close()
})

const sides = async () =>
  (await server.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'hoop side'")).map(({ pid }) => pid)

function open(idleMs: number): Side {
  const { host, port, user, password } = server
  side = createSide(
    (signal) =>
      login({
        target: { name: 'pg', protocol: 'postgres', host, port, user, tls: { mode: 'disable' }, databases: [] },
        credential: credentialOf(new Secret(password)),
        database: Buffer.from('postgres'),
        options: sideOptions,
        signal,
      }),
    idleMs,
  )
  return side
}

it('is closed when nobody asks, and opened again for the next question', async () => {
  const { open: connect } = open(50)
  const pid = async () => (await (await connect()).query('SELECT pg_backend_pid()'))[0]?.[0]
  const first = await pid()
  expect(await sides()).toEqual([Number(first)])
  await vi.waitFor(async () => expect(await sides()).toEqual([]), 5000)
  expect(await pid()).not.toBe(first)
})

it('is not closed under a question, nor while it must not be', async () => {
  const { open: connect, restWhile } = open(10)
  const connection = await connect()
  expect(await connection.query('SELECT pg_sleep(0.2)')).toHaveLength(1)
  const asked = Promise.withResolvers<void>()
  let times = 0
  restWhile(() => {
    times += 1
    if (times === 3) asked.resolve()
    return false
  })
  await asked.promise
  expect(await connection.query('SELECT 1')).toEqual([['1']])
})

it('does not keep a database from being copied by its only client', async () => {
  await server.query('CREATE DATABASE lab')
  const checkpoint = createRecordingCheckpoint()
  door = await openDoorTo(server, checkpoint)
  const end = await connectAsClient(door.port)
  end.say(startup({ database: 'lab' }), query("SELECT lower('X')"))
  await hear(end, 2)
  expect(await sides()).toHaveLength(1)
  end.say(query('CREATE DATABASE copied TEMPLATE lab'))
  await vi.waitFor(async () => expect(await sides()).toEqual([]), 10_000)
  expect(await hear(end)).toEqual(['C:CREATE DATABASE', 'Z:I'])
  end.socket.destroy()
})

it('that cannot be opened leaves what it would have told at its worst, and nothing else', async () => {
  await server.query(`CREATE ROLE alone LOGIN PASSWORD '${server.password}' CONNECTION LIMIT 1`)
  const checkpoint = createRecordingCheckpoint()
  door = await openDoorTo(server, checkpoint, { user: 'alone' })
  const end = await connectAsClient(door.port)
  end.say(startup(), query("SELECT lower('X')"))
  expect(await hear(end, 2)).toEqual(['Z:I', 'T', 'D', 'C:SELECT 1', 'Z:I'])
  expect(checkpoint.asked[0]?.facts.kind).toBe('admin')
  end.socket.destroy()
})
