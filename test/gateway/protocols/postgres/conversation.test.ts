/** Whole conversations with a real PostgreSQL behind, spoken by real clients and by hand. */
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Command } from '../../../../src/contract/command.ts'
import type { Refusal } from '../../../../src/contract/refusal.ts'
import { type Postgres, startPostgres } from '../../../../src/demo/postgres.ts'
import { describePortal, readFields } from '../../../../src/gateway/protocols/postgres/messages.ts'
import { cstring, frame, int32 } from '../../../../src/gateway/protocols/postgres/wire.ts'
import {
  bind,
  byHand as connectByHand,
  execute,
  hear,
  openDoorTo,
  parse,
  query,
  startup,
  sync,
} from '../../../support/by-hand.ts'
import { createRecordingCheckpoint, type Door } from '../../../support/conversation.ts'
import { connectAsClient } from '../../../support/script.ts'

let server: Postgres
let door: Door

beforeAll(async () => {
  server = await startPostgres({ settings: { log_statement: 'all', fsync: 'off' } })
}, 60_000)
afterAll(() => server.stop())
afterEach(() => door?.close())

type Judge = Parameters<typeof createRecordingCheckpoint>[0]

async function open(judge?: Judge, preview?: Parameters<typeof createRecordingCheckpoint>[1]) {
  const checkpoint = createRecordingCheckpoint(judge, preview)
  door = await openDoorTo(server, checkpoint)
  return checkpoint
}

async function client(): Promise<pg.Client> {
  const connected = new pg.Client({ host: '127.0.0.1', port: door.port, user: 'anyone', database: 'postgres' })
  connected.on('error', () => undefined)
  await connected.connect()
  return connected
}

const refusal = (command?: Command): Refusal => ({
  code: 'denied',
  message: `${command?.verb ?? 'this'} is not allowed`,
  next: 'ask for leave',
  rule: 'no-drops',
})

/** Refuses whatever drops something. */
const noDrops: Judge = (batch) => {
  const drop = batch.find(({ text }) => /drop/i.test(text))
  return drop === undefined ? undefined : refusal(drop)
}

const byHand = () => connectByHand(door)

describe('clients', () => {
  it('node-postgres queries, with and without parameters and names', async () => {
    const checkpoint = await open()
    const db = await client()
    expect((await db.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    expect((await db.query('SELECT $1::int + $2::int AS sum', [1, 2])).rows).toEqual([{ sum: 3 }])
    for (const value of ['a', 'b', 'c'])
      expect((await db.query({ name: 'echo', text: 'SELECT $1::text AS t', values: [value] })).rows).toEqual([
        { t: value },
      ])
    await db.end()
    // A named statement that is used three times is three commands, each with its own values.
    expect(
      checkpoint.asked.filter(({ text }) => text.includes('AS t')).map(({ parameters }) => parameters[0]?.value),
    ).toEqual(['a', 'b', 'c'])
  })

  it('postgres.js pipelines, pages with a cursor, copies both ways', async () => {
    await open()
    const sql = postgres({
      host: '127.0.0.1',
      port: door.port,
      user: 'x',
      database: 'postgres',
      max: 1,
      onnotice: () => undefined,
    })
    const sums = await Promise.all(
      Array.from({ length: 30 }, (_, n) => sql`SELECT ${n}::int AS n`.then((rows) => rows[0]?.n)),
    )
    expect(sums).toEqual(Array.from({ length: 30 }, (_, n) => n))
    const pages: number[] = []
    await sql`SELECT generate_series(1, 10) AS n`.cursor(4, (rows) => void pages.push(rows.length))
    expect(pages).toEqual([4, 4, 2])
    await sql`CREATE TABLE copied (n int, t text)`
    const into = await sql`COPY copied FROM STDIN`.writable()
    into.end('1\tone\n2\ttwo\n')
    await once(into, 'finish')
    const out = await sql`COPY copied TO STDOUT`.readable()
    expect(Buffer.concat(await out.toArray()).toString()).toBe('1\tone\n2\ttwo\n')
    await sql`DROP TABLE copied`
    await sql.end()
  })

  it('hear notifications, and whose they are', async () => {
    await open()
    const [one, other] = [await client(), await client()]
    await one.query('LISTEN news')
    const heard = once(one, 'notification')
    const { rows } = await other.query('SELECT pg_backend_pid() AS pid')
    await other.query("NOTIFY news, 'hello'")
    const [message] = await heard
    expect(message).toMatchObject({ channel: 'news', payload: 'hello', processId: rows[0].pid })
    await one.end()
    await other.end()
  })
})

describe('a refused command', () => {
  it('never reaches the target, is explained, and leaves the session usable', async () => {
    await open(noDrops)
    await server.query('CREATE TABLE precious (n int)')
    const db = await client()
    const error = await db.query('DROP TABLE precious').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: '42501', severity: 'ERROR', hint: 'ask for leave' })
    expect(JSON.parse((error as pg.DatabaseError).detail ?? '')).toMatchObject({
      v: 1,
      verdict: 'denied',
      rule: 'no-drops',
    })
    expect((await db.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    expect(await server.query("SELECT to_regclass('precious') IS NOT NULL AS there")).toEqual([{ there: true }])
    await db.end()
    await server.query('DROP TABLE precious')
  })

  it.each(['simple', 'extended'] as const)('aborts the open transaction at the target too (%s)', async (way) => {
    await open(noDrops)
    await server.query('CREATE TABLE ledger (n int)')
    const db = await client()
    const run = (sql: string) => (way === 'simple' ? db.query(sql) : db.query({ text: sql, values: [], name: sql }))
    await run('BEGIN')
    await run('INSERT INTO ledger VALUES (1)')
    await expect(run('DROP TABLE ledger')).rejects.toMatchObject({ code: '42501' })
    await expect(run('INSERT INTO ledger VALUES (2)')).rejects.toMatchObject({ code: '25P02' })
    expect((await run('COMMIT')).command).toBe('ROLLBACK')
    expect(await server.query('SELECT count(*)::int AS n FROM ledger')).toEqual([{ n: 0 }])
    await db.end()
    await server.query('DROP TABLE ledger')
  })

  it('in a batch stops the whole batch', async () => {
    const checkpoint = await open(noDrops)
    await server.query('CREATE TABLE batch (n int)')
    const db = await client()
    await expect(db.query('INSERT INTO batch VALUES (1); DROP TABLE batch')).rejects.toMatchObject({ code: '42501' })
    expect(await server.query('SELECT count(*)::int AS n FROM batch')).toEqual([{ n: 0 }])
    expect(checkpoint.asked).toHaveLength(2)
    await db.end()
    await server.query('DROP TABLE batch')
  })

  it('does not run by being planned: what planning runs is cleared with Bind', async () => {
    await server.query('CREATE SEQUENCE planned')
    await server.query(
      "CREATE FUNCTION sly() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN PERFORM nextval('planned'); RETURN 1; END$$",
    )
    const checkpoint = await open((batch) => (batch[0]?.text.includes('sly') ? refusal(batch[0]) : undefined))
    const end = await byHand()
    end.say(parse('SELECT sly()'), bind(), sync)
    expect(await hear(end)).toEqual(['1', 'E:42501', 'Z:I'])
    expect(await server.query('SELECT is_called FROM planned')).toEqual([{ is_called: false }])
    expect(checkpoint.asked).toHaveLength(1)
    end.socket.destroy()
    await server.query('DROP FUNCTION sly; DROP SEQUENCE planned')
  })

  it('that planning runs is one command, from Bind to the end of Execute, when it is allowed', async () => {
    await server.query('CREATE SEQUENCE planned')
    await server.query(
      "CREATE FUNCTION sly() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN PERFORM nextval('planned'); RETURN 1; END$$",
    )
    const checkpoint = await open()
    const end = await byHand()
    end.say(parse('SELECT sly()'), bind(), execute(), sync)
    expect(await hear(end)).toEqual(['1', '2', 'D', 'C:SELECT 1', 'Z:I'])
    expect(checkpoint.log).toEqual(['clear SELECT sly()', 'settle done SELECT sly()'])
    end.socket.destroy()
    await server.query('DROP FUNCTION sly; DROP SEQUENCE planned')
  })

  it('in a pipeline: what came before is answered, what comes after is skipped up to Sync', async () => {
    await open(noDrops)
    const end = await byHand()
    end.say(
      parse('SELECT 1'),
      bind(),
      execute(),
      parse('DROP TABLE x'),
      bind(),
      execute(),
      parse('SELECT 2'),
      bind(),
      execute(),
      sync,
    )
    end.say(parse('SELECT 3'), bind(), execute(), sync)
    expect(await hear(end, 2)).toEqual([
      '1',
      '2',
      'D',
      'C:SELECT 1',
      '1',
      '2',
      'E:42501',
      'Z:I',
      '1',
      '2',
      'D',
      'C:SELECT 1',
      'Z:I',
    ])
    end.socket.destroy()
  })

  it('at Parse, when policy would deny it anyway, is refused before Execute', async () => {
    const checkpoint = await open(noDrops, (command) => ({
      verdict: /drop/i.test(command.text) ? 'deny' : 'allow',
      rule: 'no-drops',
      reason: 'no',
      config: '',
    }))
    const end = await byHand()
    end.say(parse('DROP TABLE x'), sync)
    expect(await hear(end)).toEqual(['E:42501', 'Z:I'])
    expect(checkpoint.log).toEqual(['clear DROP TABLE x'])
    end.socket.destroy()
  })
})

describe('names', () => {
  it('mean what the server takes them to mean when a redefinition was skipped after an error', async () => {
    await open(noDrops)
    const end = await byHand()
    end.say(parse('DROP TABLE IF EXISTS none', 's1'), sync)
    await hear(end)
    // The Close and the second Parse are skipped; s1 is still the DROP.
    end.say(
      parse('SELEC'),
      frame('C', Buffer.from('S'), cstring('s1')),
      parse('SELECT 1', 's1'),
      sync,
      bind('s1'),
      execute(),
      sync,
    )
    expect(await hear(end, 2)).toEqual(['E:42601', 'Z:I', '2', 'E:42501', 'Z:I'])
    end.socket.destroy()
  })

  it('of SQL and of the protocol are the same', async () => {
    const checkpoint = await open(noDrops)
    const end = await byHand()
    end.say(query('PREPARE s2 AS SELECT 42'), bind('s2'), execute(), sync)
    expect(await hear(end, 2)).toEqual(['C:PREPARE', 'Z:I', '2', 'D', 'C:SELECT 1', 'Z:I'])
    expect(checkpoint.asked.at(-1)?.verb).toBe('SELECT')
    end.socket.destroy()
  })

  it('that nobody defined make the server fail, and nothing runs', async () => {
    const checkpoint = await open()
    const end = await byHand()
    end.say(bind('nobody'), execute(), sync)
    expect(await hear(end)).toEqual(['E:26000', 'Z:I'])
    expect(checkpoint.asked).toEqual([])
    end.socket.destroy()
  })

  it('of cursors can be executed like portals: that is a FETCH', async () => {
    const checkpoint = await open()
    const end = await byHand()
    end.say(query('BEGIN; DECLARE c CURSOR FOR SELECT generate_series(1, 5)'))
    await hear(end)
    end.say(frame('D', Buffer.from('P'), cstring('c')), execute(2, 'c'), sync)
    expect(await hear(end)).toEqual(['T', 'D', 'D', 's', 'Z:T'])
    expect(checkpoint.asked.at(-1)?.text).toContain('FETCH FORWARD 2 FROM "c"')
    end.socket.destroy()
  })
})

it('a portal that stops at its row limit is one command, however often it is run on', async () => {
  const checkpoint = await open()
  const end = await byHand()
  end.say(query('BEGIN'))
  await hear(end)
  end.say(parse('SELECT generate_series(1, 5)'), bind('', 'p'), describePortal(Buffer.from('p')), execute(2, 'p'), sync)
  expect(await hear(end)).toEqual(['1', '2', 'T', 'D', 'D', 's', 'Z:T'])
  end.say(execute(2, 'p'), execute(2, 'p'), sync)
  expect(await hear(end)).toEqual(['D', 'D', 's', 'D', 'C:SELECT 1', 'Z:T'])
  const { outcome } = checkpoint.outcomes.at(-1) ?? {}
  expect(checkpoint.asked.filter(({ verb }) => verb === 'SELECT')).toHaveLength(1)
  expect(outcome).toMatchObject({ status: 'done', summary: 'SELECT 1' })
  end.socket.destroy()
})

it('after an error in a pipeline nothing up to Sync runs or counts as run', async () => {
  const checkpoint = await open()
  const end = await byHand()
  end.say(parse('SELECT 1/(random()*0)::int'), bind(), execute(), parse('SELECT 2'), bind(), execute(), sync)
  expect(await hear(end)).toEqual(['1', '2', 'E:22012', 'Z:I'])
  expect(checkpoint.outcomes.map(({ outcome }) => outcome.status).filter((status) => status === 'done')).toEqual([])
  expect(checkpoint.outcomes[0]?.outcome).toMatchObject({ status: 'failed', error: { code: '22012' } })
  end.socket.destroy()
})

describe('COPY', () => {
  it('in a pipeline: the server ignores the Sync before the data', async () => {
    await open()
    const end = await byHand()
    end.say(query('CREATE TEMP TABLE t (n int)'))
    await hear(end)
    end.say(parse('COPY t FROM STDIN'), bind(), execute(), sync)
    end.say(frame('d', Buffer.from('1\n')), frame('d', Buffer.from('2\n')), frame('c'), sync)
    expect(await hear(end)).toEqual(['1', '2', 'G', 'C:COPY 2', 'Z:I'])
    end.say(query('SELECT count(*) FROM t'))
    expect(await hear(end)).toEqual(['T', 'D', 'C:SELECT 1', 'Z:I'])
    end.socket.destroy()
  })

  it('that fails half-way is followed by what comes after it', async () => {
    await open()
    const end = await byHand()
    end.say(query('CREATE TEMP TABLE t (n int)'), query('COPY t FROM STDIN'))
    await hear(end, 1)
    end.say(frame('d', Buffer.from('no number\n')), frame('d', Buffer.from('2\n')), frame('c'), query('SELECT 1'))
    expect(await hear(end, 2)).toEqual(['G', 'E:22P02', 'Z:I', 'T', 'D', 'C:SELECT 1', 'Z:I'])
    end.socket.destroy()
  })

  it('that the client breaks off is a failure of the command', async () => {
    const checkpoint = await open()
    const end = await byHand()
    end.say(query('CREATE TEMP TABLE t (n int)'), query('COPY t FROM STDIN'))
    await hear(end, 1)
    end.say(frame('f', cstring('no more')))
    expect(await hear(end)).toEqual(['G', 'E:57014', 'Z:I'])
    expect(checkpoint.outcomes.at(-1)?.outcome.status).toBe('failed')
    end.socket.destroy()
  })
})

describe('a held command', () => {
  const hold = {
    approval: 'apr_1',
    session: 'ses_1',
    rule: 'hold-drops',
    message: 'held',
    hint: 'see',
    groups: ['dba'],
    expires: 0,
  }

  it('is announced at once, and what came before it is answered meanwhile', async () => {
    const release = Promise.withResolvers<undefined>()
    await open((batch, asking) => {
      if (!/drop/i.test(batch[0]?.text ?? '')) return undefined
      asking?.onHold?.(hold)
      return release.promise
    })
    const end = await byHand()
    end.say(parse('SELECT 1'), bind(), execute(), parse('DROP TABLE IF EXISTS none'), bind(), execute(), sync)
    const heard: string[] = []
    for (const type of ['1', '2', 'D', 'C', '1', '2', 'N']) heard.push(type)
    const seen: string[] = []
    while (seen.length < heard.length) {
      const header = await end.take(5)
      await end.take(header.readInt32BE(1) - 4)
      seen.push(String.fromCharCode(header[0] ?? 0))
    }
    expect([...seen].sort()).toEqual([...heard].sort())
    release.resolve(undefined)
    expect((await hear(end)).at(-1)).toBe('Z:I')
    end.socket.destroy()
  })

  it('is given up when the client cancels, and the session goes on', async () => {
    await open((batch, asking) => {
      if (!/drop/i.test(batch[0]?.text ?? '')) return undefined
      asking?.onHold?.(hold)
      return new Promise((resolve) => {
        asking?.signal?.addEventListener('abort', () => resolve({ ...refusal(batch[0]), code: 'cancelled' }))
      })
    })
    const db = await client()
    const held = once(db, 'notice')
    const answer = db.query('DROP TABLE none').catch((error: unknown) => error)
    await held
    await cancel(db)
    expect(await answer).toMatchObject({ code: '57014' })
    expect((await db.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await db.end()
  })

  it('is given up when the client goes away', async () => {
    const aborted = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    await open((batch, asking) => {
      if (!/drop/i.test(batch[0]?.text ?? '')) return undefined
      held.resolve()
      return new Promise((resolve) => {
        asking?.signal?.addEventListener('abort', () => {
          aborted.resolve()
          resolve({ ...refusal(batch[0]), code: 'cancelled' })
        })
      })
    })
    const end = await byHand()
    end.say(query('DROP TABLE none'))
    await held.promise
    end.socket.destroy()
    await aborted.promise
  })
})

/** What node-postgres does not do by itself: a CancelRequest with the key that it was given. */
async function cancel(db: pg.Client): Promise<void> {
  const { processID, secretKey } = db as unknown as { processID: number; secretKey: number }
  const end = await connectAsClient(door.port)
  end.say(int32(16), int32(80_877_102), int32(processID), int32(secretKey))
  await end.hearsEnd()
}

describe('cancel', () => {
  it('reaches the statement that runs', async () => {
    await open()
    const db = await client()
    const answer = db.query('SELECT pg_sleep(30)').catch((error: unknown) => error)
    while ((await server.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")).length === 0)
      await pause(10)
    await cancel(db)
    expect(await answer).toMatchObject({ code: '57014' })
    await db.end()
  })

  it("uses the backend's own PID and another secret", async () => {
    await open()
    const db = await client()
    const { rows } = await db.query('SELECT pg_backend_pid() AS pid')
    expect((db as unknown as { processID: number }).processID).toBe(rows[0].pid)
    await db.end()
  })
})

describe('the end', () => {
  it("a kill ends both sides, and tells the client in PostgreSQL's words", async () => {
    await open()
    const db = await client()
    const { rows } = await db.query('SELECT pg_backend_pid() AS pid')
    const error = once(db, 'error')
    door.kill({ code: 'killed', message: 'killed by ana: enough', next: 'talk to ana' })
    expect((await error)[0]).toMatchObject({ code: '57P01', message: 'killed by ana: enough' })
    while ((await server.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [rows[0].pid])).length > 0)
      await pause(10)
  })

  it("the server's last words arrive", async () => {
    await open()
    const db = await client()
    const { rows } = await db.query('SELECT pg_backend_pid() AS pid')
    const error = once(db, 'error')
    await server.query('SELECT pg_terminate_backend($1)', [rows[0].pid])
    expect((await error)[0]).toMatchObject({ code: '57P01' })
  })

  it('a message of unknown type ends the conversation and reaches nobody', async () => {
    await open()
    const end = await byHand()
    end.say(frame('!', Buffer.from('what is this')))
    const header = await end.take(5)
    const fields = readFields(Buffer.concat([header, await end.take(header.readInt32BE(1) - 4)]))
    expect([fields.get('S'), fields.get('C')]).toEqual(['FATAL', '08P01'])
    await end.hearsEnd()
  })

  it('a client that says no more still gets the answer', async () => {
    await open()
    const end = await byHand()
    end.say(query('SELECT repeat($$x$$, 1000000), pg_sleep(0.1)'))
    end.socket.end()
    expect(await hear(end)).toEqual(['T', 'D', 'C:SELECT 1', 'Z:I'])
    await end.hearsEnd()
  })
})

describe('the beginning', () => {
  it('answers requests for encryption with no, and refuses bytes behind them', async () => {
    await open()
    const polite = await connectAsClient(door.port)
    polite.say(int32(8), int32(80_877_104))
    await polite.hears(Buffer.from('N'))
    polite.say(int32(8), int32(80_877_103))
    await polite.hears(Buffer.from('N'))
    polite.say(startup())
    await hear(polite)
    polite.socket.destroy()
    for (const asked of [80_877_103, 80_877_104]) {
      const pushy = await connectAsClient(door.port)
      pushy.say(int32(8), int32(asked), startup())
      expect((await pushy.take(1)).toString()).toBe('E')
    }
  })

  it('says which version it speaks when a client asks for a later one', async () => {
    await open()
    const end = await connectAsClient(door.port)
    end.say(startup({ '_pq_.future': '1' }, (3 << 16) | 2))
    await end.hears(frame('v', int32(3 << 16), int32(1), cstring('_pq_.future')))
    expect(await hear(end)).toEqual(['Z:I'])
    end.say(query('SELECT 1'))
    expect(await hear(end)).toEqual(['T', 'D', 'C:SELECT 1', 'Z:I'])
    end.socket.destroy()
  })

  it('refuses a protocol that it does not speak', async () => {
    await open()
    const end = await connectAsClient(door.port)
    end.say(startup({}, 2 << 16))
    expect(await hear(end, 1, 'E:0A000')).toEqual(['E:0A000'])
    await end.hearsEnd()
  })

  it('refuses a database that is not listed', async () => {
    door = await openDoorTo(server, createRecordingCheckpoint(), { databases: ['shop'] })
    const end = await connectAsClient(door.port)
    end.say(startup({ database: 'postgres' }))
    expect(await hear(end, 1, 'E:42501')).toEqual(['E:42501'])
    await end.hearsEnd()
  })

  it('refuses replication connections', async () => {
    await open()
    const end = await connectAsClient(door.port)
    end.say(startup({ replication: 'database' }))
    const header = await end.take(5)
    const fields = readFields(Buffer.concat([header, await end.take(header.readInt32BE(1) - 4)]))
    expect(fields.get('C')).toBe('42501')
  })

  it("shows the server's own reason when it has one", async () => {
    await open()
    const db = new pg.Client({ host: '127.0.0.1', port: door.port, user: 'x', database: 'nowhere' })
    await expect(db.connect()).rejects.toMatchObject({ code: '3D000', message: 'database "nowhere" does not exist' })
  })
})
