/** What is kept from one execution to the next, and what was described once, must never show more than a first look would. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type MaskedDoor, openMaskedDoor } from './masked-door.ts'
import { connectRaw, cstring, frame, int16, int32, type RawClient } from './raw-client.ts'

let door: MaskedDoor
let client: RawClient

beforeAll(async () => {
  door = await openMaskedDoor()
})
afterAll(() => door?.stop())
beforeEach(async () => {
  client = await connectRaw(door.port, 'postgres')
  return () => client.close()
})

const parse = (sql: string, name = '') => frame('P', cstring(name), cstring(sql), int16(0))
const bind = (portal = '', name = '') => frame('B', cstring(portal), cstring(name), int16(0), int16(0), int16(0))
const describePortal = (portal = '') => frame('D', Buffer.from('P'), cstring(portal))
const execute = (portal = '', rows = 0) => frame('E', cstring(portal), int32(rows))
const sync = frame('S')

const shown = (rows: readonly (readonly (Buffer | null)[])[]) => rows.map((row) => row.map((value) => String(value)))

describe('a prepared statement', () => {
  test('is masked each time that it runs, described by the client or not', async () => {
    await client.send(Buffer.concat([parse('SELECT name, email FROM customers WHERE id < 3 ORDER BY id', 's'), sync]))
    for (const described of [[], [describePortal()], [], [describePortal()]]) {
      const answer = await client.send(Buffer.concat([bind('', 's'), ...described, execute(), sync]))
      expect(shown(answer.rows)).toEqual([
        ['Ana', 'q•••@fjordmyth.example'],
        ['Bo', 'v•••@fjordmyth.example'],
      ])
      expect(answer.frames.filter((one) => one[0] === 'T'.charCodeAt(0))).toHaveLength(described.length)
      expect(door.leaks(answer.bytes)).toEqual([])
    }
  })

  test('is masked as soon as the view that it reads shows a masked column', async () => {
    const run = () => client.send(Buffer.concat([bind('', 's'), describePortal(), execute(), sync]))
    await client.simple('CREATE VIEW shifting AS SELECT id, city AS c FROM customers')
    await client.send(Buffer.concat([parse('SELECT c FROM shifting WHERE id = 1', 's'), sync]))
    expect(shown((await run()).rows)).toEqual([['Oslo']])
    expect(shown((await run()).rows)).toEqual([['Oslo']])
    await client.simple('BEGIN')
    await client.simple('CREATE OR REPLACE VIEW shifting AS SELECT id, email AS c FROM customers')
    expect(door.leaks((await run()).bytes)).toEqual([])
    await client.simple('COMMIT')
    const after = await run()
    expect(after.rows).toHaveLength(1)
    expect(door.leaks(after.bytes)).toEqual([])
  })
})

describe('a portal that the client has described', () => {
  test('is masked in later groups, and after it stopped at its row limit', async () => {
    await client.simple('BEGIN')
    await client.send(
      Buffer.concat([
        parse('SELECT name, email FROM customers WHERE id < 3 ORDER BY id'),
        bind('p'),
        describePortal('p'),
        sync,
      ]),
    )
    const first = await client.send(Buffer.concat([execute('p', 1), sync]))
    const second = await client.send(Buffer.concat([execute('p', 1), sync]))
    expect(shown([...first.rows, ...second.rows])).toEqual([
      ['Ana', 'q•••@fjordmyth.example'],
      ['Bo', 'v•••@fjordmyth.example'],
    ])
    await client.simple('COMMIT')
  })

  test('is described again where the target skipped that', async () => {
    await client.simple('BEGIN')
    await client.send(Buffer.concat([parse('SELECT name, email FROM customers WHERE id = 1'), bind('p'), sync]))
    await client.simple('SAVEPOINT s')
    const failed = await client.send(Buffer.concat([parse('SELECT 1 FROM nowhere'), describePortal('p'), sync]))
    expect(failed.error).toBe('42P01')
    await client.simple('ROLLBACK TO s')
    const { rows, bytes } = await client.send(Buffer.concat([execute('p'), sync]))
    expect(shown(rows)).toEqual([['Ana', 'q•••@fjordmyth.example']])
    expect(door.leaks(bytes)).toEqual([])
    await client.simple('COMMIT')
  })
})
