import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type MaskedDoor, openMaskedDoor } from './masked-door.ts'
import { type Answer, connectRaw, type RawClient } from './raw-client.ts'

let door: MaskedDoor
let client: RawClient
let direct: RawClient

beforeAll(async () => {
  door = await openMaskedDoor()
  client = await connectRaw(door.port, 'postgres')
  direct = await connectRaw(door.server.port, 'postgres', { user: door.server.user })
})
afterAll(async () => {
  await client?.close()
  await direct?.close()
  await door?.stop()
})

const harmless: readonly string[] = [
  'SELECT id, name, city FROM customers',
  "SELECT upper(name) || '!' AS loud, id + 1 FROM customers",
  'SELECT count(*), count(email), count(DISTINCT card) FROM customers',
  'SELECT city, count(*) FROM customers GROUP BY city ORDER BY 2 DESC',
  "SELECT id FROM customers WHERE email LIKE '%@%' ORDER BY email",
  'SELECT row_number() OVER (ORDER BY email), rank() OVER (PARTITION BY card ORDER BY id) FROM customers',
  'SELECT o.*, c.name FROM orders o JOIN customers c ON c.id = o.customer_id',
  'SELECT x.n FROM (SELECT lower(name) AS n, email FROM customers) x',
  'WITH c AS (SELECT id, lower(name) AS n, email FROM customers) SELECT n FROM c',
  'WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT sum(n), max(n) FROM r, customers',
  'SELECT who, id FROM contacts',
  'SELECT lower(who) FROM contacts_of_contacts',
  'SELECT upper(city) FROM cities',
  "SELECT product || coalesce(note, '') FROM orders",
  'SELECT array_agg(product), json_agg(o) FROM orders o',
  'SELECT to_json(o) FROM orders o',
  'SELECT plus_one(id) FROM customers',
  'SELECT EXISTS (SELECT 1 FROM customers WHERE email IS NOT NULL)',
  'SELECT c.id, g, e.ordinality FROM customers c, generate_series(1, 2) g, unnest(ARRAY[c.name]) WITH ORDINALITY e(n, ordinality)',
  'SELECT now() IS NOT NULL, current_user, version(), 1, $$text$$, ARRAY[1,2]',
  'SHOW server_version',
  'EXPLAIN (COSTS OFF) SELECT * FROM customers WHERE id = 1',
  "SELECT c.relname, pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relname = 'customers' AND a.attnum > 0",
  "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'",
  "SELECT pg_get_viewdef('contacts'::regclass), obj_description('customers'::regclass)",
  "UPDATE orders SET note = 'x' WHERE id = 10 RETURNING id, upper(note)",
  "INSERT INTO orders VALUES (50, 1, 'mug') ON CONFLICT (id) DO UPDATE SET note = excluded.product RETURNING product || note",
  'UPDATE customers SET email = lower(email) WHERE id = 1',
  'COPY orders TO STDOUT',
  'COPY (SELECT id, lower(name) FROM customers) TO STDOUT (FORMAT csv)',
  'COPY (SELECT id, lower(name) FROM customers) TO STDOUT (FORMAT binary)',
  'SELECT 1 / 0',
  'SELECT nothing FROM customers',
  'SELECT * FROM nowhere',
  "INSERT INTO orders VALUES (10, 1, 'twice')",
  "DO $$ BEGIN RAISE NOTICE 'hello'; END $$",
  'CREATE TEMP TABLE mine AS SELECT id, name FROM customers',
  'SELECT upper(name) FROM mine',
  'DROP TABLE mine',
  'FETCH 1 FROM nothing',
]

/** Time, process numbers and the like differ between two sessions. */
const comparable = ({ frames }: Answer) => frames.map((frame) => frame.toString('latin1'))

describe.each(['simple', 'extended', 'binary'] as const)('in the %s form', (form) => {
  const ask = (to: RawClient, sql: string) =>
    form === 'simple' ? to.simple(sql) : to.extended(sql, { binary: form === 'binary' })

  test.each(harmless)('leaves every byte as it is: %s', async (sql) => {
    // Each changes what the other would see, so the first is undone.
    const own = await ask(client, sql)
    const same = await ask(direct, sql)
    if (/^(?:CREATE|DROP|INSERT)/.test(sql)) return expect(own.error).toBe(same.error)
    expect(comparable(own)).toEqual(comparable(same))
  })
})

test('hints at a partially masked value and keeps NULL what is NULL', async () => {
  const { rows } = await client.simple(
    'SELECT email, card, email::text, (SELECT email FROM customers WHERE id = 1), salary, NULL::text FROM customers WHERE id = 1',
  )
  const texts = rows[0]?.map((value) => value?.toString() ?? null)
  expect(texts).toEqual([
    'q•••@fjordmyth.example',
    '•••9012',
    'q•••@fjordmyth.example',
    'q•••@fjordmyth.example',
    null,
    null,
  ])
})

test('masks a whole JSON document as a JSON string, in both formats', async () => {
  const text = await client.extended('SELECT notes FROM customers WHERE id = 1')
  expect(JSON.parse(text.rows[0]?.[0]?.toString() ?? '')).toBe('•••')
  const binary = await client.extended('SELECT notes FROM customers WHERE id = 1', { binary: true })
  expect(binary.rows[0]?.[0]).toEqual(Buffer.concat([Buffer.from([1]), Buffer.from('"•••"')]))
})

test('leaves the error of a statement that comes near nothing masked', async () => {
  const { bytes } = await client.simple("SELECT 'x'::int FROM orders")
  expect(bytes.toString()).toContain('invalid input syntax for type integer: "x"')
})

test('counts a masked answer as masked', async () => {
  door.outcomes.length = 0
  await client.simple('SELECT email FROM customers; SELECT name FROM customers')
  expect(door.outcomes.map(({ masked }) => masked ?? false)).toEqual([true, false])
})

test('still tells tables apart while its own transaction, and then another, has them locked', async () => {
  const started = performance.now()
  await client.simple('BEGIN; ALTER TABLE customers ADD more text')
  const own = await client.simple('SELECT product FROM orders WHERE id = 10')
  await client.simple('ROLLBACK')
  expect(own.rows[0]?.[0]?.toString()).toBe('kettle')

  await direct.simple('BEGIN; ALTER TABLE customers ADD more text')
  await client.simple('CREATE TEMP TABLE passing (id int)')
  const others = await client.simple("SELECT product || '!' FROM orders WHERE id = 10")
  await direct.simple('ROLLBACK')
  expect(others.rows[0]?.[0]?.toString()).toBe('kettle!')
  expect(performance.now() - started).toBeLessThan(20_000)
})

describe('what people do to a database with masks', () => {
  const work: Readonly<Record<string, readonly string[]>> = {
    'a migration with a function, a trigger and data': [
      'BEGIN',
      'CREATE TABLE stock (id serial PRIMARY KEY, n int DEFAULT 1, changed timestamptz DEFAULT now())',
      "CREATE FUNCTION stamped() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.changed := now(); RETURN new; END'",
      'CREATE TRIGGER stamping BEFORE UPDATE ON stock FOR EACH ROW EXECUTE FUNCTION stamped()',
      'INSERT INTO stock (n, changed) SELECT id, now() FROM orders',
      'UPDATE stock SET n = n + 1, changed = now() WHERE id = 1',
      'COMMIT',
      'DROP TABLE stock',
      'DROP FUNCTION stamped',
    ],
    'a new column that is filled in the same transaction': [
      'BEGIN',
      'ALTER TABLE orders ADD COLUMN label text, ALTER note SET DEFAULT $$none$$',
      'UPDATE orders SET label = upper(product) WHERE id = 10',
      'ROLLBACK',
    ],
    'a trigger that stamps a table with masked columns': [
      'ALTER TABLE customers ADD COLUMN changed timestamptz',
      "CREATE FUNCTION changes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.changed := now(); RETURN new; END'",
      'CREATE TRIGGER changing BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION changes()',
      "UPDATE customers SET city = 'Oslo' WHERE id = 1",
      'DROP TRIGGER changing ON customers',
      'DROP FUNCTION changes',
      'ALTER TABLE customers DROP COLUMN changed',
    ],
    'a function that writes what is not masked': [
      "CREATE OR REPLACE FUNCTION orders_of(c int, p text) RETURNS int LANGUAGE sql AS 'INSERT INTO orders (id, customer_id, product) VALUES (20 + c, c, p) RETURNING id'",
      'SELECT orders_of(id, name) FROM customers WHERE id = 1',
      "CREATE OR REPLACE FUNCTION orders_of(c int, p text) RETURNS int LANGUAGE sql AS 'INSERT INTO orders (id, customer_id, product) VALUES (30 + c, c, p) RETURNING id'",
      'DELETE FROM orders WHERE id > 20',
      'DROP FUNCTION orders_of',
    ],
    'the same index twice': [
      'CREATE INDEX twice ON customers (name)',
      'CREATE INDEX IF NOT EXISTS twice ON customers (name)',
      'DROP INDEX twice',
    ],
    'an upsert of a customer': [
      "INSERT INTO customers (id, name, email) VALUES (1, 'Ana', 'new@example.com') ON CONFLICT (id) DO UPDATE SET name = excluded.name",
    ],
  }
  // A failed test must not leave a transaction open.
  afterEach(async () => {
    await client.simple('ROLLBACK')
  })
  test.each(Object.entries(work))('is not in the way of %s', async (_name, statements) => {
    for (const sql of statements) {
      const { error, bytes } = await client.simple(sql)
      expect(error, `${sql}: ${bytes.toString('latin1')}`).toBeUndefined()
    }
  })

  test('still says what exists already, by the names that were asked', async () => {
    await client.simple('CREATE INDEX there ON customers (name)')
    const { bytes } = await client.simple('CREATE INDEX there ON customers (name)')
    await client.simple('DROP INDEX there')
    expect(bytes.toString()).toContain('relation "there" already exists')
  })
})
