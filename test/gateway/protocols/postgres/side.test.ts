import { afterAll, beforeAll, expect, it } from 'vitest'
import { Secret } from '../../../../src/base/secret.ts'
import { startPostgres } from '../../../../src/demo/postgres.ts'
import { login } from '../../../../src/gateway/protocols/postgres/login.ts'
import type { SideConnection } from '../../../../src/gateway/protocols/postgres/side-connection.ts'
import { createSide, sideOptions } from '../../../../src/gateway/protocols/postgres/side.ts'
import { credentialOf } from '../../../support/credentials.ts'

let server: Awaited<ReturnType<typeof startPostgres>>
let side: ReturnType<typeof createSide>
let connection: SideConnection

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } })
  side = createSide((signal) =>
    login({
      target: {
        name: 'pg',
        protocol: 'postgres',
        host: server.host,
        port: server.port,
        user: server.user,
        tls: { mode: 'disable' },
        databases: [],
      },
      credential: credentialOf(new Secret(server.password)),
      database: Buffer.from('postgres'),
      options: sideOptions,
      signal,
    }),
  )
  connection = await side.open()
}, 60_000)
afterAll(async () => {
  side?.close()
  await server?.stop()
})

const prepared = () => connection.query('SELECT statement FROM pg_prepared_statements')

it('has a question planned once, however often it is asked', async () => {
  for (const value of ['a', 'b', 'c', 'd'])
    expect(await connection.query('SELECT $1::text', [value])).toEqual([[value]])
  expect((await prepared()).filter(([statement]) => statement === 'SELECT $1::text')).toHaveLength(1)
})

it('asks anew when the server does not know what it was told to prepare', async () => {
  await connection.query('DEALLOCATE ALL')
  expect(await connection.query('SELECT $1::text', ['e'])).toEqual([['e']])
  expect(await connection.query('SELECT $1::text', ['f'])).toEqual([['f']])
})

it('goes on after a question that fails, also one that was prepared', async () => {
  const question = 'SELECT 1 / $1::int'
  for (const value of ['1', '0', '1', '0', '1']) {
    const answer = connection.query(question, [value])
    if (value === '0') await expect(answer).rejects.toMatchObject({ code: 'target-refused' })
    else expect(await answer).toEqual([['1']])
  }
})

it('plans without compiling, and for any values', async () => {
  expect(await connection.query('SHOW jit')).toEqual([['off']])
  expect(await connection.query('SHOW plan_cache_mode')).toEqual([['force_generic_plan']])
})
