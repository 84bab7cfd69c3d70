/** The whole road with the clients that people use: built CLI → gateway → a real PostgreSQL. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Approval } from '../../src/contract/api.ts'
import type { DemoUser } from '../../src/demo/people.ts'
import { customers, shopDatabase } from '../../src/demo/shop.ts'
import { startWorld, type World } from '../../src/demo/world.ts'
import { type Connected, type Env, hoop, hoopConnect, isInstalled } from '../support/built-cli.ts'

let world: World
let folder: string
let dev: Env
let dba: Env
let door: Connected

beforeAll(async () => {
  world = await startWorld()
  folder = await mkdtemp(join(tmpdir(), 'hoop-e2e-'))
  const as = async (user: DemoUser): Promise<Env> => ({
    HOOP_GATEWAY: world.gateway,
    HOOP_TOKEN: (await world.provider.tokensFor(user)).accessToken,
    XDG_STATE_HOME: join(folder, user),
    XDG_CONFIG_HOME: join(folder, user),
  })
  dev = await as('dev@demo')
  dba = await as('dba@demo')
  door = await hoopConnect('pg-prod', dev, '--reason', 'end to end', '--agent', 'devin')
})

afterAll(async () => {
  expect(await door?.stop()).not.toBe(1)
  await world?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function direct(sql: string): Promise<Record<string, unknown>[]> {
  return world.server.query(sql, undefined, shopDatabase)
}

/** Waits for a held statement, as a script would: `hoop approve --list --json` until it is there. */
async function held(text: string): Promise<Approval> {
  for (;;) {
    const { stdout, stderr, code } = await hoop(['approve', '--list', '--json'], dba)
    if (code !== 0) throw new Error(stderr)
    const pending = stdout.trim() === '' ? [] : parsed(stdout)
    const found = pending.find((approval) => approval.commands.some(({ asked }) => asked.text.includes(text)))
    if (found !== undefined) return found
  }
}

/** One document with a list, or a line for each. */
function parsed(stdout: string): Approval[] {
  if (stdout.startsWith('[')) return JSON.parse(stdout)
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** The system's own, which is the one that Debian's python3-psycopg2 is for. */
const python = '/usr/bin/python3'

const secrets = customers.flatMap((customer) => [customer.email, customer.card, customer.passwordHash])
const leaks = (text: string) => secrets.filter((secret) => text.includes(secret))

describe.runIf(isInstalled('psql', '--version'))('psql', () => {
  const psql = (sql: string, ...flags: string[]) =>
    hoop(['connect', 'pg-prod', '--', 'psql', '-X', '-v', 'ON_ERROR_STOP=1', ...flags, '-c', sql], dev)

  test('reads without a password, and masked', async () => {
    const { code, stdout, stderr } = await psql('SELECT name, email, card_number FROM customers ORDER BY id', '--csv')
    expect(stderr).not.toContain('ERROR')
    expect(code).toBe(0)
    expect(stdout.split('\n').filter((line) => line.includes('@')).length).toBe(customers.length)
    expect(leaks(stdout)).toEqual([])
  })

  test('is told why a statement is refused, and hoop exits with its exit code', async () => {
    const { code, stderr } = await psql("SELECT pg_read_file('/etc/passwd')")
    expect(stderr).toContain('no-files-or-programs')
    expect(stderr).toMatch(/DETAIL: {2}\{"v":1,"verdict":"denied"/)
    expect(stderr).toContain('HINT:')
    expect(code).toBe(1)
  })

  test('copies out masked, and copies in', async () => {
    const out = await psql('\\copy customers TO STDOUT')
    expect(out.stdout.split('\n').length).toBeGreaterThan(customers.length)
    expect(leaks(out.stdout)).toEqual([])
    const back = await psql('COPY (SELECT generate_series(1, 3)) TO STDOUT')
    expect(back.stdout).toBe('1\n2\n3\n')
  })

  test('shows its catalog commands', async () => {
    const { code, stdout } = await psql('\\d orders')
    expect(stdout).toContain('customer_id')
    expect(code).toBe(0)
  })
})

describe.runIf(isInstalled(python, '-c', 'import psycopg2'))('psycopg2', () => {
  test('reads masked, writes, and keeps its connection after a refusal', async () => {
    const script = `
import os, psycopg2
c = psycopg2.connect(os.environ['DATABASE_URL'])
c.autocommit = True
k = c.cursor()
k.execute('SELECT email FROM customers WHERE id = %s', (1,))
print('email', k.fetchone()[0])
try:
    k.execute("SELECT pg_read_file('/etc/passwd')")
except psycopg2.errors.InsufficientPrivilege as e:
    print('refused', e.diag.message_detail)
k.execute("INSERT INTO orders (customer_id, product, amount) VALUES (%s, %s, %s) RETURNING product", (1, 'from psycopg2', 2))
print('wrote', k.fetchone()[0])
`
    const { stdout, stderr, code } = await hoop(['connect', 'pg-prod', '--', python, '-c', script], dev)
    expect(stderr).not.toContain('Traceback')
    expect(code).toBe(0)
    expect(leaks(stdout)).toEqual([])
    expect(stdout).toMatch(/^email .*@/m)
    expect(stdout).toContain('refused {"v":1,"verdict":"denied"')
    expect(stdout).toContain('wrote from psycopg2')
  })
})

describe('node-postgres', () => {
  async function withClient<T>(work: (client: pg.Client, notices: string[]) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: door.url })
    const notices: string[] = []
    client.on('notice', ({ message }) => notices.push(message ?? ''))
    await client.connect()
    try {
      return await work(client, notices)
    } finally {
      await client.end()
    }
  }

  test.each(['simple', 'extended'] as const)(
    'a held DROP inside a transaction runs once approved (%s protocol)',
    async (protocol) => {
      const table = `doomed_${protocol}`
      await direct(`CREATE TABLE ${table} (id int); ALTER TABLE ${table} OWNER TO shop_app`)
      await withClient(async (client, notices) => {
        const run = (sql: string) =>
          protocol === 'simple' ? client.query(sql) : client.query({ text: sql, values: [], name: sql.slice(0, 40) })
        await run('BEGIN')
        await run(`INSERT INTO ${table} VALUES (1)`)
        const drop = run(`DROP TABLE ${table}`)
        const approval = await held(table)
        expect(await direct(`SELECT to_regclass('${table}') IS NOT NULL AS there`)).toEqual([{ there: true }])
        expect(notices.join()).toContain(approval.id)
        expect(approval.agent).toBe('devin')
        const decided = await hoop(
          ['approve', approval.id, '--reason', 'archived', '--confirm', approval.confirm ?? ''],
          dba,
        )
        expect(decided.stderr).toContain(`Approved ${approval.id}`)
        expect(decided.code).toBe(0)
        await drop
        await run('COMMIT')
      })
      expect(await direct(`SELECT to_regclass('${table}') IS NULL AS gone`)).toEqual([{ gone: true }])
    },
  )

  test.each(['simple', 'extended'] as const)(
    'a denied DROP leaves the transaction aborted on the server too (%s protocol)',
    async (protocol) => {
      const table = `kept_${protocol}`
      await direct(`CREATE TABLE ${table} (id int); ALTER TABLE ${table} OWNER TO shop_app`)
      await withClient(async (client) => {
        const run = (sql: string) =>
          protocol === 'simple' ? client.query(sql) : client.query({ text: sql, values: [], name: sql.slice(0, 40) })
        await run('BEGIN')
        await run(`INSERT INTO ${table} VALUES (1)`)
        const drop = run(`DROP TABLE ${table}`).then(
          () => undefined,
          (error: unknown) => error,
        )
        const approval = await held(table)
        expect((await hoop(['deny', approval.id, '--reason', 'still in use'], dba)).code).toBe(0)
        const error = await drop
        expect(error).toBeInstanceOf(pg.DatabaseError)
        expect(error).toMatchObject({ code: '42501' })
        expect((await run('COMMIT')).command).toBe('ROLLBACK')
      })
      expect(await direct(`SELECT count(*)::int AS rows FROM ${table}`)).toEqual([{ rows: 0 }])
    },
  )

  test('a DROP behind nine megabytes of comment is held all the same', async () => {
    await direct('CREATE TABLE far_behind (id int); ALTER TABLE far_behind OWNER TO shop_app')
    await withClient(async (client) => {
      const drop = client.query(`/* ${'x'.repeat(9_000_000)} */ DROP TABLE far_behind`).then(
        () => undefined,
        (error: unknown) => error,
      )
      const approval = await held('far_behind')
      expect(approval.commands[0]?.asked.actions).toMatchObject([
        { verb: 'DROP TABLE', objects: ['public.far_behind'] },
      ])
      expect((await hoop(['deny', approval.id, '--reason', 'no'], dba)).code).toBe(0)
      expect(await drop).toMatchObject({ code: '42501' })
    })
    expect(await direct("SELECT to_regclass('far_behind') IS NOT NULL AS there")).toEqual([{ there: true }])
  })

  test('a client that goes away takes its hold with it', async () => {
    await direct('CREATE TABLE left_alone (id int); ALTER TABLE left_alone OWNER TO shop_app')
    const client = new pg.Client({ connectionString: door.url })
    client.on('error', () => {})
    await client.connect()
    client.query('DROP TABLE left_alone').catch(() => {})
    const approval = await held('left_alone')
    // The socket is cut, as by a crash: no goodbye.
    ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
    for (;;) {
      const [now] = parsed((await hoop(['approve', '--list', '--json', '--state', 'all'], dba)).stdout).filter(
        ({ id }) => id === approval.id,
      )
      if (now?.state === 'cancelled') break
    }
    expect(await direct("SELECT to_regclass('left_alone') IS NOT NULL AS there")).toEqual([{ there: true }])
  })
})

describe('postgres.js', () => {
  test('reads masked through its pipelined prepared statements', async () => {
    const sql = postgres(door.url, { max: 3, fetch_types: true })
    try {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) => sql`SELECT name, email FROM customers WHERE id = ${n + 1}`),
      )
      expect(answers.map(([row]) => row?.name)).toEqual(customers.slice(0, 50).map(({ name }) => name))
      expect(leaks(JSON.stringify(answers))).toEqual([])
      await expect(sql`COPY customers TO PROGRAM 'cat'`).rejects.toMatchObject({ code: '42501' })
      expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }])
    } finally {
      await sql.end()
    }
  })
})
