/** Statements understood with a real catalog behind them. */
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Postgres, startPostgres } from '../../../../src/demo/postgres.ts'
import { createStatementReader } from '../../../../src/gateway/protocols/postgres/commands.ts'
import { askImpact } from '../../../../src/gateway/protocols/postgres/impact.ts'
import type {
  SideConnection,
  SqlSession,
  Statement,
  StatementReader,
} from '../../../../src/gateway/protocols/postgres/parts.ts'
import { createCatalog } from '../../../../src/gateway/protocols/postgres/sql/catalog.ts'

let db: Postgres
let client: pg.Client
let reader: StatementReader
let side: SideConnection
let questions = 0
let clock = 0

beforeAll(async () => {
  db = await startPostgres()
  await db.query(`
    CREATE SCHEMA hr;
    CREATE TABLE hr.salaries (id int PRIMARY KEY);
    CREATE TABLE hr.staff (id int);
    CREATE TABLE public.users (id int PRIMARY KEY, name text);
    INSERT INTO users SELECT i, 'x' FROM generate_series(1, 1000) i;
    CREATE TABLE public.orders (id int PRIMARY KEY, user_id int REFERENCES users (id) ON DELETE CASCADE);
    CREATE VIEW public.names AS SELECT name FROM users;
    CREATE FUNCTION public.changes() RETURNS int LANGUAGE sql AS 'SELECT 1';
    ANALYZE`)
  client = new pg.Client({ host: db.host, port: db.port, user: db.user, password: db.password, database: db.database })
  await client.connect()
  side = {
    async query(sql, params = []) {
      questions += 1
      const text = (value: unknown) => (value === null ? null : String(value))
      const { rows } = await client.query<unknown[]>({
        text: sql,
        values: [...params],
        rowMode: 'array',
        types: { getTypeParser: () => (value: unknown) => value },
      })
      return rows.map((row) => row.map(text))
    },
    close: () => undefined,
  }
  reader = await createStatementReader({ maxStatementBytes: 1000 })
})

afterAll(async () => {
  await client?.end()
  await db?.stop()
})

type Writable<T> = { -readonly [K in keyof T]: T[K] }
let session: Writable<SqlSession>

beforeEach(() => {
  session = {
    parameters: new Map([
      ['client_encoding', 'UTF8'],
      ['standard_conforming_strings', 'on'],
      ['server_version', db.version],
    ]),
    certain: true,
    transaction: 'I',
    prepared: new Map(),
    cursors: new Map(),
    settings: new Map(),
    catalog: createCatalog(async () => side, { now: () => clock }),
  }
})

async function read(sql: string): Promise<readonly Statement[]> {
  return (await reader.read(Buffer.from(sql), session)).statements
}
async function one(sql: string): Promise<Statement> {
  const [statement] = await read(sql)
  if (statement === undefined) throw new Error('no statement')
  return statement
}
const facts = async (sql: string) => (await one(sql)).command.facts
const objects = async (sql: string) => (await one(sql)).command.objects

describe('texts that differ in integers alone', () => {
  const skeletons = [
    'SELECT name FROM users WHERE id = #;',
    'UPDATE users SET name = name WHERE id = # OR id <> #',
    'DELETE FROM hr.staff WHERE id IN (#, #)',
    'SELECT changes() FROM users WHERE id > #',
    'SELECT name INTO some FROM users WHERE id < #',
  ]

  test('are each what they are when read alone, with their own text', async () => {
    for (const skeleton of skeletons)
      for (const values of [
        ['3', '3'],
        ['4', '4'],
        ['5', '6'],
        ['0', '7'],
        ['77', '77'],
      ]) {
        let at = 0
        const text = skeleton.replaceAll('#', () => values[at++] ?? '')
        const [together] = await read(text)
        session.catalog = createCatalog(async () => side, { now: () => clock })
        const fresh = await createStatementReader({ maxStatementBytes: 1000 })
        const [alone] = (await fresh.read(Buffer.from(text), session)).statements
        expect({ ...together, masking: undefined }, text).toEqual({ ...alone, masking: undefined })
        expect(together?.command.text).toBe(text.replace(';', ''))
      }
  })

  test('are judged once, and again when the catalog may have changed', async () => {
    await one('SELECT name FROM users WHERE id = 1')
    const first = await one('SELECT name FROM users WHERE id = 2')
    const before = questions
    const second = await one('SELECT name FROM users WHERE id = 3')
    expect(second.command.text).toBe('SELECT name FROM users WHERE id = 3')
    // What policy judges by is the very same, so that a judgement can be found again by it.
    expect(second.command.facts).toBe(first.command.facts)
    expect(questions).toBe(before)
    session.catalog.invalidate()
    const third = await one('SELECT name FROM users WHERE id = 4')
    expect(third.command.facts).not.toBe(first.command.facts)
    expect(questions).toBeGreaterThan(before)
    expect((await reader.refresh(second, session)).command).toEqual(second.command)
  })
})

describe('a command', () => {
  test('has the exact text of its statement, its verb, and objects with their schema', async () => {
    const [first, second] = await read(' SELECT * FROM users ; /* x */ DROP TABLE "users";')
    expect(first?.command).toMatchObject({ verb: 'SELECT', text: 'SELECT * FROM users', objects: ['public.users'] })
    expect(second?.command).toMatchObject({ verb: 'DROP TABLE', objects: ['public.users'], facts: { kind: 'ddl' } })
  })

  test('names every schema that an object may be in when the search path cannot be known', async () => {
    await db.query('CREATE TABLE IF NOT EXISTS hr.users (id int)')
    expect(await objects('SELECT * FROM users')).toEqual(['public.users'])
    session.settings = new Map([['search_path', 'hr, public']])
    expect(await objects('SELECT * FROM users')).toEqual(['hr.users'])
    session.settings = new Map([['search_path', null]])
    expect((await objects('SELECT * FROM users')).toSorted()).toEqual(['hr.users', 'public.users'])
    session.settings = new Map()
    session.certain = false
    expect((await objects('SELECT * FROM users')).toSorted()).toEqual(['hr.users', 'public.users'])
    await db.query('DROP TABLE hr.users')
  })

  test('says ALTER TABLE wherever it is a table that is altered, and ALTER VIEW for a view', async () => {
    const verbs = async (sql: string) => (await one(sql)).command.actions.map(({ verb }) => verb)
    expect(await verbs('ALTER INDEX users RENAME TO people')).toEqual(['ALTER INDEX', 'ALTER TABLE'])
    expect(await verbs('ALTER INDEX users_pkey RENAME TO people_key')).toEqual(['ALTER INDEX'])
    expect(await verbs('ALTER TABLE names RENAME TO people')).toEqual(['ALTER TABLE', 'ALTER VIEW'])
  })

  test('follows SET search_path within its text', async () => {
    const [, second] = await read('SET search_path TO hr; SELECT * FROM staff')
    expect(second?.command.objects).toEqual(['hr.staff'])
  })

  test('is unparsed and of the worst class when the grammar does not accept it or it is too large', async () => {
    for (const sql of ['SELEC 1', 'SELECT 1; SELEC 2', `SELECT '${'x'.repeat(1000)}'`, "SELECT 'a\0'"])
      expect(await read(sql)).toMatchObject([
        { command: { verb: 'UNPARSED', facts: { parsed: false, kind: 'admin', dynamic: true } } },
      ])
    const beginning = await reader.read(Buffer.from('SELECT 1'), session, 5000)
    expect(beginning.statements[0]?.command.facts.parsed).toBe(false)
  })

  test('is unparsed when a backslash may mean two things', async () => {
    expect((await facts("SELECT 'a\\'")).parsed).toBe(true)
    session.parameters = new Map([...session.parameters, ['standard_conforming_strings', 'off']])
    expect((await facts("SELECT 'a\\'")).parsed).toBe(false)
    expect((await facts("SELECT 'a'")).parsed).toBe(true)
    session.parameters = new Map([...session.parameters, ['standard_conforming_strings', 'on']])
    session.certain = false
    expect((await facts("SELECT 'a\\'")).parsed).toBe(false)
  })

  test('has the worst class when the target cannot be asked what its names mean', async () => {
    session.catalog = createCatalog(async () => {
      throw new Error('the target does not answer')
    })
    expect(await facts('SELECT count(*) FROM users')).toMatchObject({ kind: 'admin', dynamic: true, parsed: true })
    expect(await facts('BEGIN')).toMatchObject({ kind: 'read' })
  })

  test('is a call of a function by its OID on the fast path', async () => {
    const oid = async (name: string) => Number((await db.query(`SELECT '${name}'::regproc::oid AS oid`))[0]?.oid)
    const write = await reader.functionCall(await oid('lowrite'), session)
    expect(write.command).toMatchObject({ verb: 'FUNCTION CALL', facts: { kind: 'write' } })
    const file = await reader.functionCall(await oid('lo_unlink'), session)
    expect(file.command.facts.functions).toEqual(['pg_catalog.lo_unlink'])
    const unknown = await reader.functionCall(4_000_000, session)
    expect(unknown.command.facts).toMatchObject({ kind: 'admin', dynamic: true })
  })
})

describe('the catalog', () => {
  test('is asked once for the same names', async () => {
    await read('SELECT * FROM users')
    const before = questions
    await read('SELECT id, name FROM users')
    await read('SELECT * FROM users')
    expect(questions).toBe(before)
  })

  test('is believed for a limited time', async () => {
    expect((await facts('SELECT changes()')).kind).toBe('read')
    await db.query("CREATE OR REPLACE FUNCTION changes() RETURNS int LANGUAGE sql AS 'DELETE FROM users; SELECT 1'")
    clock += 60_000
    expect((await facts('SELECT changes()')).kind).toBe('write')
    await db.query("CREATE OR REPLACE FUNCTION changes() RETURNS int LANGUAGE sql AS 'SELECT 1'")
  })

  test('judges a prepared statement again after it has changed', async () => {
    const statement = await one('SELECT changes()')
    expect(await reader.refresh(statement, session)).toBe(statement)
    await db.query("CREATE OR REPLACE FUNCTION changes() RETURNS int LANGUAGE sql AS 'DELETE FROM users; SELECT 1'")
    session.catalog.invalidate()
    expect((await reader.refresh(statement, session)).command.facts.kind).toBe('write')
    await db.query("CREATE OR REPLACE FUNCTION changes() RETURNS int LANGUAGE sql AS 'SELECT 1'")
  })

  test('judges a prepared statement again when planning it does more than before', async () => {
    await db.query(
      `CREATE FUNCTION public.adds() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO hr.staff VALUES (1) RETURNING id'`,
    )
    const statement = await one('SELECT adds()')
    expect(statement.eager).toBe(false)
    await db.query('ALTER FUNCTION adds() IMMUTABLE')
    session.catalog.invalidate()
    const again = await reader.refresh(statement, session)
    expect(again.command).toEqual(statement.command)
    expect(again.eager).toBe(true)
    await db.query('DROP FUNCTION adds')
  })

  test('is looked at once for a prepared statement that it did not change', async () => {
    const statement = await one('SELECT name FROM users WHERE id = $1')
    session.catalog.invalidate()
    expect(await reader.refresh(statement, session)).toBe(statement)
    const before = questions
    expect(reader.refresh(statement, session)).toBe(statement)
    expect(reader.refresh(statement, session)).toBe(statement)
    expect(questions).toBe(before)
  })

  test('counts for less than what the open transaction has just made', async () => {
    await read("CREATE OR REPLACE FUNCTION changes() RETURNS int LANGUAGE sql AS 'TRUNCATE users; SELECT 1'")
    session.transaction = 'T'
    expect((await facts('SELECT changes()')).kind).toBe('ddl')
    expect((await facts('SELECT count(*) FROM users')).kind).toBe('read')
    session.transaction = 'I'
    expect((await facts('SELECT changes()')).kind).toBe('read')
  })

  test('answers for a view while its table is locked by a change that is not committed', async () => {
    const other = new pg.Client({
      host: db.host,
      port: db.port,
      user: db.user,
      password: db.password,
      database: db.database,
    })
    await other.connect()
    await other.query('BEGIN; ALTER TABLE users ADD COLUMN more int')
    expect(await facts('SELECT * FROM names')).toMatchObject({ kind: 'read', dynamic: false })
    await other.query('ROLLBACK')
    await other.end()
  })
})

describe('effects', () => {
  test('tell the conversation of settings, prepared statements and cursors', async () => {
    expect((await one('SET search_path = a, "B"')).effects).toEqual([
      { type: 'set', name: 'search_path', value: 'a, "B"', local: false },
    ])
    expect((await one("SELECT set_config('search_path', 'a', false)")).effects).toMatchObject([
      { type: 'set', name: 'search_path', value: null, local: false },
    ])
    expect((await one('RESET ALL')).effects).toEqual([{ type: 'set', value: null, local: false }])
    expect((await one('PREPARE p (int) AS SELECT $1')).effects).toMatchObject([
      { type: 'prepare', name: 'p', statements: [{ command: { text: 'SELECT $1' } }] },
    ])
    expect((await one('DECLARE c SCROLL CURSOR FOR SELECT 1 FOR UPDATE')).effects).toMatchObject([
      { type: 'declare', name: 'c', statement: { command: { text: 'SELECT 1 FOR UPDATE' } } },
    ])
    expect((await one('DISCARD ALL')).effects.map(({ type }) => type)).toEqual(['deallocate', 'close', 'set'])
    expect((await one('CREATE TABLE t ()')).effects).toEqual([{ type: 'ddl' }])
  })

  test('resolve EXECUTE through what was prepared', async () => {
    const prepare = await one('PREPARE p AS DELETE FROM users')
    session.prepared = new Map(
      prepare.effects.flatMap((effect) =>
        effect.type === 'prepare' ? [[effect.name, effect.statements] as const] : [],
      ),
    )
    expect(await facts('EXECUTE p')).toMatchObject({ kind: 'write', unbounded: true })
    expect(await facts('EXECUTE q')).toMatchObject({ kind: 'admin', dynamic: true })
  })
})

describe('impact', () => {
  async function impact(sql: string, values: readonly string[] = []) {
    const statement = await one(sql)
    const parameters = values.map((value) => ({ value }))
    return askImpact({ ...statement.command, parameters }, statement, side, new AbortController().signal)
  }

  test('estimates the rows that a change touches, with the values of Bind', async () => {
    const found = await impact('DELETE FROM users WHERE id <= $1', ['250'])
    expect(found.rows).toBeGreaterThan(200)
    expect(found.rows).toBeLessThan(300)
    expect(found.lines[0]).toMatch(/^public\.users: about \d+ rows would be deleted$/)
    expect(await db.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 1000 }])
  })

  test('says rows, size and what hangs on a table that is to be dropped', async () => {
    const { lines, rows } = await impact('DROP TABLE users CASCADE')
    expect(rows).toBe(1000)
    expect(lines[0]).toMatch(/^public\.users: about 1,000 rows, \d+\.\d kB$/)
    expect(lines).toContain('orders.user_id refers to it and loses its rows with it')
    expect(lines).toContain('view names is made from it')
  })

  test('sums up a schema', async () => {
    expect((await impact('DROP SCHEMA hr CASCADE')).lines[0]).toMatch(/^hr\.\*: 2 tables, /)
  })

  test('does not plan what calls functions that are not PostgreSQL’s own', async () => {
    const found = await impact('UPDATE users SET name = changes()::text')
    expect(found.unknown).toBe('how many rows it changes is only known when it runs')
  })

  test('leaves no failure unhandled when nobody waits any more', async () => {
    const failing: SideConnection = { query: () => Promise.reject(new Error('lost')), close: () => undefined }
    const statement = await one('TRUNCATE users')
    const found = await askImpact(statement.command, statement, failing, AbortSignal.abort(new Error('gone')))
    expect(found).toEqual({ lines: [], unknown: 'gone' })
  })

  test('says that it is unknown when the target does not answer in time', async () => {
    const silent: SideConnection = { query: () => new Promise(() => undefined), close: () => undefined }
    const statement = await one('TRUNCATE users')
    const found = await askImpact(statement.command, statement, silent, new AbortController().signal)
    expect(found).toEqual({ lines: [], unknown: 'timed out after 2 s' })
  })
})
