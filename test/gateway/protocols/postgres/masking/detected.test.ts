import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MaskRule } from '../../../../../src/gateway/config/schema.ts'
import { type MaskedDoor, openMaskedDoor } from './masked-door.ts'
import { cstring, frame, int16, int32, connectRaw, type RawClient } from './raw-client.ts'

const rules: MaskRule[] = [
  { name: 'all', match: {}, detectors: ['email', 'card', 'jwt', 'private-key'], style: 'partial' },
  { name: 'one', match: {}, columns: ['public.people.secret'], style: 'partial' },
]
const card = '4929123456789015'
const schema = `
CREATE TABLE people (id int, secret text, plain text);
INSERT INTO people VALUES (1, 'vbkwqzxv', 'mail qzxvbkwj@fjordmyth.example now'), (2, NULL, 'héllo');
CREATE TABLE swapped.people (id int, secret text)`.replace(
  'CREATE TABLE swapped',
  'CREATE SCHEMA swapped; CREATE TABLE swapped',
)

let door: MaskedDoor
let client: RawClient

beforeAll(async () => {
  door = await openMaskedDoor(rules, 2, schema)
  client = await connectRaw(door.port, 'postgres')
})
afterAll(async () => {
  await client?.close()
  await door?.stop()
})

describe.each([false, true])('in binary: %s', (binary) => {
  const mail = "'qzxvbkwj@fjordmyth.example'"
  test.each([
    `SELECT ${mail}`,
    `SELECT 'a ' || ${mail} || ' b', 1`,
    `SELECT ${mail}::varchar, ${mail}::name, ${mail}::char(40)`,
    `SELECT to_json(${mail}::text), jsonb_build_object('m', ${mail})`,
    `SELECT ARRAY[${mail}, 'x'], row(1, ${mail}::text)`,
    `SELECT convert_to(${mail}, 'UTF8')`,
    `SELECT xmlelement(name a, ${mail}::text)`,
    `SELECT ${card}::bigint, ${card}::numeric, ARRAY['${card}']`,
    `SELECT jsonb_build_object('n', ${card})`,
    'SELECT plain FROM people',
  ])('finds what stands in any type: %s', async (sql) => {
    const { bytes, rows, error } = await client.extended(sql, { binary })
    expect(error).toBeUndefined()
    expect(rows.length).toBeGreaterThan(0)
    const text = bytes.toString('latin1')
    expect(text).not.toMatch(/qzxvbkwj|4929123456/)
    expect(bytes.includes(Buffer.from(BigInt(card).toString(16).padStart(16, '0'), 'hex'))).toBe(false)
  })

  test('leaves numbers, times and identifiers alone', async () => {
    const sql =
      "SELECT 1700000000000000::bigint, 123456789.5::numeric, timestamp '2026-01-01 12:34:56', '7c9e6679-7425-40de-944b-e07fc1f90ae7'::uuid, 1.5::float8"
    const { rows } = await client.extended(sql, { binary })
    expect(rows[0]?.every((value) => value !== null)).toBe(true)
  })
})

test.each([
  'COPY people (id, plain) TO STDOUT',
  'COPY people (id, plain) TO STDOUT (FORMAT csv)',
  'COPY people (id, plain) TO STDOUT (FORMAT binary)',
  `COPY (SELECT ${card}::bigint) TO STDOUT (FORMAT binary)`,
])('finds it in %s, and the copy can still be read', async (sql) => {
  const { bytes, error } = await client.simple(sql)
  expect(error).toBeUndefined()
  expect(door.leaks(bytes)).toEqual([])
})

test.each(['LATIN1', 'WIN1252', 'EUC_JP', 'SQL_ASCII', 'SJIS'])(
  'masks under client_encoding %s too',
  async (encoding) => {
    const other = await connectRaw(door.port, 'postgres', { client_encoding: encoding })
    for (const sql of [
      'SELECT secret, plain FROM people WHERE id = 1',
      'COPY (SELECT secret, plain FROM people WHERE id = 1) TO STDOUT',
    ]) {
      const { bytes } = await other.simple(sql)
      expect(door.leaks(bytes)).toEqual([])
    }
    await other.close()
  },
)

test('keeps in the record what the client saw, and not more rows than asked', async () => {
  door.outcomes.length = 0
  await client.simple('SELECT id, secret, plain FROM people UNION ALL SELECT 3, NULL, NULL')
  expect(door.outcomes[0]?.result).toEqual({
    columns: ['id', 'secret', 'plain'],
    rows: [
      ['1', 'v•••', 'mail q•••@fjordmyth.example now'],
      ['2', null, 'héllo'],
    ],
    truncated: true,
  })
})

test('does not believe a description from before search_path changed', async () => {
  const bind = Buffer.concat([
    frame('B', cstring(''), cstring('kept'), int16(0), int16(0), int16(0)),
    frame('E', cstring(''), int32(0)),
    frame('S'),
  ])
  await client.simple('SET search_path = swapped')
  await client.send(
    Buffer.concat([
      frame('P', cstring('kept'), cstring('SELECT secret FROM people'), int16(0)),
      frame('D', Buffer.from('S'), cstring('kept')),
      frame('S'),
    ]),
  )
  expect((await client.send(bind)).rows).toEqual([])
  await client.simple('SET search_path = public')
  const { rows, bytes } = await client.send(bind)
  expect(rows.length).toBe(2)
  expect(door.leaks(bytes)).toEqual([])
  await client.simple('RESET search_path')
})

test('shows a pipeline of statements each under its own mask', async () => {
  const one = (sql: string) => [
    frame('P', cstring(''), cstring(sql), int16(0)),
    frame('B', cstring(''), cstring(''), int16(0), int16(0), int16(0)),
    frame('E', cstring(''), int32(0)),
  ]
  const { bytes, rows } = await client.send(
    Buffer.concat([
      ...one('SELECT id FROM people'),
      ...one('SELECT secret FROM people'),
      ...one('SELECT 7'),
      frame('S'),
    ]),
  )
  expect(rows.map(([value]) => value?.toString() ?? null)).toEqual(['1', '2', 'v•••', null, '7'])
  expect(door.leaks(bytes)).toEqual([])
})

test('masks everything when the catalog cannot be asked', async () => {
  const lonely = await openMaskedDoor(rules, 0, `${schema}; CREATE ROLE lonely LOGIN SUPERUSER CONNECTION LIMIT 1`)
  // A second connection of this role is refused, and so is the side connection.
  await lonely.server.query('ALTER ROLE lonely NOSUPERUSER; GRANT SELECT ON people TO lonely')
  const alone = await lonely.as('lonely')
  const { rows, bytes } = await alone.simple('SELECT id, plain, secret FROM people WHERE id = 1')
  expect(rows.map((row) => row.map((value) => value?.toString() ?? null))).toEqual([[null, '•••', '•••']])
  expect(lonely.leaks(bytes)).toEqual([])
  expect((await alone.simple('CREATE TEMP TABLE t AS SELECT secret FROM people')).error).toBe('42501')
  await alone.close()
  await lonely.stop()
})
