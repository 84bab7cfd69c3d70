import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { createScope } from '../../src/base/scope.ts'
import { paths } from '../../src/contract/api.ts'
import { startIdentityProvider } from '../../src/demo/identity-provider.ts'
import { startPostgres } from '../../src/demo/postgres.ts'
import { startGateway } from '../../src/gateway/gateway.ts'
import { openLinkDoor } from '../support/link-door.ts'

/** What must not be seen, and something that must: a search that finds nothing at all is blind. */
const secrets = new Map<string, string>()
const marker = 'marker-7f3a'
/** Everything that anybody or any file was told, by where. */
const seen = new Map<string, Buffer>()

const scope = createScope()
afterAll(() => scope.close())

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hoop-secrets-'))
  scope.defer(() => rmSync(folder, { recursive: true, force: true }))
  const server = await startPostgres()
  scope.defer(() => server.stop())
  const provider = await startIdentityProvider({
    people: [
      { user: 'dev@demo', groups: ['engineering'] },
      { user: 'root@demo', groups: ['engineering', 'admins'] },
    ],
  })
  scope.defer(() => provider.stop())

  const password = secret('password of the target')
  const wrong = secret('password that the target refuses')
  const unused = secret('password of a target that is not there')
  await server.query(`CREATE ROLE app LOGIN PASSWORD '${password}'`)
  writeFileSync(join(folder, 'good'), password, { mode: 0o600 })
  const common = {
    protocol: 'postgres',
    host: server.host,
    port: server.port,
    tls: { mode: 'disable' },
    user: 'app',
    databases: [server.database],
    access: { groups: ['engineering'] },
  }
  const configFile = join(folder, 'hoop.yaml')
  writeFileSync(
    configFile,
    stringify({
      listen: { host: '127.0.0.1', port: 0 },
      identity: { issuer: provider.issuer, clientId: provider.clientId, audience: provider.audience },
      roles: { admin: { groups: ['admins'] } },
      store: { path: join(folder, 'store', 'hoop.db') },
      audit: { rows: 5 },
      targets: [
        { ...common, name: 'good', secret: `file://${join(folder, 'good')}` },
        { ...common, name: 'wrong', secret: 'env://WRONG_PASSWORD' },
        { ...common, name: 'gone', port: 1, secret: `exec:///bin/echo?arg=${unused}` },
      ],
      rules: [
        { name: 'no-ddl', effect: 'deny', match: { kinds: ['ddl'] } },
        { name: 'rest', effect: 'allow' },
      ],
    }),
  )
  const gateway = await startGateway({
    configFile,
    env: { WRONG_PASSWORD: wrong },
    log: { file: join(folder, 'gateway.log') },
  })
  let running = true
  scope.defer(async () => {
    if (running) await gateway.close()
  })

  const { accessToken, refreshToken } = await provider.tokensFor('dev@demo')
  const admin = (await provider.tokensFor('root@demo')).accessToken
  secrets.set('bearer token', accessToken)
  secrets.set('signature of the bearer token', accessToken.split('.').at(-1) ?? accessToken)
  secrets.set('refresh token', refreshToken)
  secrets.set('bearer token of the admin', admin)

  // Every road on which a secret could get out: answers, denials, target errors, failed logins, bad tokens, unknown paths.
  const told: string[] = []
  for (const target of ['good', 'wrong', 'gone']) {
    const door = await openLinkDoor(gateway.url, accessToken, target)
    scope.defer(() => door.close())
    told.push(...(await talk(door.port, server.database)))
  }
  const ask = async (path: string, headers: Record<string, string> = {}): Promise<void> => {
    const answer = await fetch(gateway.url + path, { headers })
    told.push(`${path} ${answer.status} ${JSON.stringify([...answer.headers])} ${await answer.text()}`)
  }
  const bearer = { authorization: `Bearer ${accessToken}` }
  await ask(paths.me, { authorization: `Bearer ${accessToken}x` })
  await ask(paths.me, { authorization: accessToken })
  await ask(`/nowhere?token=${accessToken}`, bearer)
  for (const path of [paths.me, paths.targets, paths.sessions, '/openapi.json', '/metrics', '/readyz', paths.wellKnown])
    await ask(path, bearer)
  await ask(paths.records, { authorization: `Bearer ${admin}` })
  seen.set('answers to clients', Buffer.from(told.filter((text) => !text.startsWith('/nowhere')).join('\n')))

  const files = (): void => {
    for (const name of readdirSync(join(folder, 'store')))
      seen.set(`store/${name}`, readFileSync(join(folder, 'store', name)))
  }
  files()
  await gateway.close()
  running = false
  files()
  seen.set('the gateway log', readFileSync(join(folder, 'gateway.log')))
})

/** Asks for something that works and for some things that do not; gives back all it was told. */
async function talk(port: number, database: string): Promise<string[]> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'anyone', database, password: 'not-asked-for' })
  const told: string[] = []
  client.on('error', (error) => told.push(String(error)))
  client.on('notice', (notice) => told.push(JSON.stringify(notice)))
  const keep = (answer: Promise<unknown>): Promise<boolean> =>
    answer.then(
      (value) => told.push(String(JSON.stringify((value as pg.QueryResult | undefined)?.rows))) > 0,
      (error: unknown) => told.push(JSON.stringify(error), String(error)) < 0,
    )
  if (!(await keep(client.connect()))) return told
  for (const sql of [
    `SELECT '${marker}' AS marker`,
    'SELECT nonsense',
    'DROP TABLE nothing',
    'SELEC',
    'SELECT current_setting($1)',
  ])
    await keep(client.query(sql, sql.includes('$1') ? ['server_version'] : undefined))
  await client.end().catch(() => {})
  return told
}

function secret(name: string): string {
  const value = randomBytes(18).toString('base64url')
  secrets.set(name, value)
  return value
}

/** As it is, and in the disguises that it would take by accident. */
function disguises(value: string): readonly string[] {
  const bytes = Buffer.from(value)
  return [
    value,
    bytes.toString('hex'),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    encodeURIComponent(value),
  ]
}

test('the search looks where things are written: it finds what was asked', () => {
  for (const where of ['answers to clients', 'store/hoop.db'])
    expect(seen.get(where)?.includes(marker), `${where} does not have the marker`).toBe(true)
  expect(seen.get('the gateway log')?.length).toBeGreaterThan(100)
  expect(seen.get('answers to clients')?.includes('"type":"command"')).toBe(true)
  expect(secrets.size).toBe(7)
})

test('no password of a target and no token is in any log, record, error, answer or file of the store', () => {
  const found: string[] = []
  for (const [where, content] of seen)
    for (const [name, value] of secrets)
      for (const disguise of disguises(value)) if (content.includes(disguise)) found.push(`${name} in ${where}`)
  expect(found).toEqual([])
})
