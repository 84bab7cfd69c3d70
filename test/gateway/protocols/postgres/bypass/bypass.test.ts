/** Every attempt of the corpus at a real server, in both protocols: what counts is what has become of the database. */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Postgres, startPostgres } from '../../../../../src/demo/postgres.ts'
import { attempts, type Attempt, honest, writesForReaders } from './corpus.ts'
import { fingerprint, fixture } from './fixture.ts'
import { type Gate, onlyReads, rules, startGate } from './gate.ts'

let db: Postgres
let gate: Gate
let readersGate: Gate
let victim: pg.Client
let victimPid = 0
let file = ''
let self = ''
let notified = 0

beforeAll(async () => {
  const binaries = process.env.HOOP_TEST_PG_BINARIES
  db = await startPostgres(binaries === undefined ? {} : { binaries })
  await db.query(fixture)
  gate = await startGate(db, rules)
  readersGate = await startGate(db, onlyReads)
  self = `host=${db.host} port=${db.port} user=${db.user} password=${db.password} dbname=${db.database}`
  file = join(db.dataFolder, 'leaked')
  victim = new pg.Client({ host: db.host, port: db.port, user: db.user, password: db.password, database: db.database })
  victim.on('error', () => undefined)
  victim.on('notification', () => {
    notified += 1
  })
  await victim.connect()
  await victim.query('LISTEN leak')
  victimPid = (await victim.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid ?? 0
})

afterAll(async () => {
  await victim?.end()
  await gate?.close()
  await readersGate?.close()
  await db?.stop()
})

async function state(): Promise<unknown> {
  const [row] = await db.query(fingerprint)
  const alive = await victim.query('SELECT 1 AS one').then(
    () => true,
    () => false,
  )
  return { ...row, alive, notified, file: existsSync(file) }
}

interface Seen {
  readonly refused: boolean
  readonly rows: number
  readonly failure: string | undefined
  readonly whoami: unknown
}

async function send(through: Gate, attempt: Attempt, protocol: 'simple' | 'extended'): Promise<Seen> {
  const client = await through.connect(attempt.options === undefined ? {} : { options: attempt.options })
  const parts = typeof attempt.sql === 'string' ? [attempt.sql] : attempt.sql
  const texts = protocol === 'simple' ? [parts.join('; ')] : parts
  let seen = { refused: false, rows: 0, failure: undefined as string | undefined }
  try {
    for (const sql of attempt.before ?? []) await client.query(sql)
    for (const text of texts) {
      const sql = text.replaceAll('{file}', file).replaceAll('{victim}', String(victimPid)).replaceAll('{self}', self)
      const query = protocol === 'simple' ? { text: sql } : { text: sql, queryMode: 'extended' as const }
      try {
        const answer: unknown = await client.query(query)
        const results = Array.isArray(answer) ? answer : [answer]
        seen = { ...seen, rows: seen.rows + results.reduce((sum, result) => sum + (result?.rows?.length ?? 0), 0) }
      } catch (error) {
        const { code, message, detail } = error as { code?: string; message: string; detail?: string }
        const refused = code === '42501' && (detail ?? '').startsWith('{"v":1')
        seen = { ...seen, refused, failure: `${code} ${message}` }
        break
      }
    }
    await client.query('ROLLBACK').catch(() => undefined)
    const whoami = await client.query('SELECT current_user AS me').then(
      ({ rows }) => rows[0]?.me,
      (error: unknown) => String(error),
    )
    return { ...seen, whoami }
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Deny over hold over allow. */
function verdictOf(through: Gate): string {
  const verdicts = through.decisions().map(({ verdict }) => verdict)
  return ['deny', 'hold'].find((verdict) => verdicts.some((one) => one === verdict)) ?? 'allow'
}

const shown = ({ sql, before = [], options }: Attempt) =>
  [...before, ...(options === undefined ? [] : [options]), ...(typeof sql === 'string' ? [sql] : sql)]
    .join(' · ')
    .replace(/x{100,}|\({100,}.*\){100,}/s, '…')

describe.each(['simple', 'extended'] as const)('in the %s protocol', (protocol) => {
  const fitting = (list: readonly Attempt[]) =>
    list
      .filter(({ extended }) => protocol === 'simple' || extended !== 'none')
      .map((attempt) => ({ ...attempt, name: shown(attempt) }))

  test.each(fitting(honest))('lets pass: $name', async (attempt) => {
    const before = await state()
    gate.decisions()
    const seen = await send(gate, attempt, protocol)
    expect(seen).toMatchObject({ failure: undefined, refused: false })
    expect(verdictOf(gate)).toBe('allow')
    if (attempt.changes) expect(await state()).not.toEqual(before)
    else expect(await state()).toEqual(before)
  })

  test.each(fitting(attempts))('$verdict: $name', async (attempt) => {
    const before = await state()
    gate.decisions()
    const seen = await send(gate, attempt, protocol)
    const verdict = verdictOf(gate)
    const after = await state()
    await rm(file, { force: true })
    if (attempt.verdict === 'allow') {
      expect(seen).toMatchObject({ failure: undefined, refused: false })
      expect(verdict).toBe('allow')
      if (attempt.changes) expect(after).not.toEqual(before)
      return
    }
    // What the database says comes first: an answer alone proves nothing.
    expect(after).toEqual(before)
    expect(seen.refused, seen.failure).toBe(true)
    expect(seen.whoami).toBe('postgres')
    if (protocol === 'simple' || attempt.extended === undefined) expect(verdict).toBe(attempt.verdict)
  })
})

describe.each(['simple', 'extended'] as const)('for those who may only read, in the %s protocol', (protocol) => {
  const fitting = writesForReaders
    .filter(({ extended }) => protocol === 'simple' || extended !== 'none')
    .map((attempt) => ({ ...attempt, name: shown(attempt) }))

  test.each(fitting)('$verdict: $name', async (attempt) => {
    const before = await state()
    readersGate.decisions()
    const seen = await send(readersGate, attempt, protocol)
    expect(await state()).toEqual(before)
    expect(seen.refused, seen.failure).toBe(true)
    expect(verdictOf(readersGate)).toBe('deny')
  })
})

test('the corpus is large enough', () => {
  expect(attempts.length).toBeGreaterThanOrEqual(120)
})
