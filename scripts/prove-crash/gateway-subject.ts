/**
 * The whole gateway, in front of a real PostgreSQL with `log_statement=all`: what happened is what that server's own log
 * says. Clients write in both protocols over the gateway's link.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { stringify } from 'yaml'
import { reasonOf } from '../../src/base/errors.ts'
import { type IdentityProvider, startIdentityProvider } from '../../src/demo/identity-provider.ts'
import { freePort, type Postgres, startPostgres } from '../../src/demo/postgres.ts'
import { openLinkDoor } from '../../test/support/link-door.ts'
import { operationIn, type Life, type StartOptions, type Subject } from './subject.ts'

const person = 'dev@demo'
const clients = 8
const program = fileURLToPath(new URL('gateway-child.ts', import.meta.url))

export async function gatewaySubject(): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'hoop-crash-gateway-'))
  const server = await startPostgres({ settings: { log_statement: 'all' } })
  const provider = await startIdentityProvider({ people: [{ user: person, groups: ['engineering'] }] })
  const password = randomBytes(12).toString('base64url')
  writeFileSync(join(folder, 'password'), password, { mode: 0o600 })
  await server.query(`CREATE ROLE app LOGIN PASSWORD '${password}'`)
  await server.query('CREATE TABLE writes (operation text)')
  await server.query('GRANT INSERT, SELECT ON writes TO app')

  return {
    name: 'gateway',
    start: (store, options) => live({ folder, server, provider }, store, options),
    async close() {
      await provider.stop()
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface World {
  readonly folder: string
  readonly server: Postgres
  readonly provider: IdentityProvider
}

async function live(world: World, store: string, { wrap, flush }: StartOptions): Promise<Life> {
  const { server, provider, folder } = world
  const port = await freePort()
  const config = join(folder, 'hoop.yaml')
  writeFileSync(config, configFor(world, { port, store, flush }))
  const gateway = `http://127.0.0.1:${port}`
  const [file = process.execPath, ...args] = [...wrap, process.execPath, program, config]
  const log: string[] = []
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => log.push(data.toString()))
  await ready(gateway, child, log)
  // strace would outlive its child, and not the other way round.
  const pid = wrap.length > 0 ? childOf(child.pid) : child.pid
  if (pid === undefined) throw new Error('the gateway has no process number')

  const { accessToken } = await provider.tokensFor(person)
  const door = await openLinkDoor(gateway, accessToken, 'pg')
  const life = randomBytes(4).toString('hex')
  const stop = new AbortController()
  const refusals: string[] = []
  let acknowledged = 0

  async function client(number: number): Promise<void> {
    let count = 0
    while (!stop.signal.aborted) {
      const connection = new pg.Client({ host: '127.0.0.1', port: door.port, user: 'app', database: server.database })
      connection.on('error', () => {})
      try {
        await connection.connect()
        while (!stop.signal.aborted) {
          const operation = `op-${life}-${number}-${count++}`
          // Even clients speak the simple protocol, odd ones the extended.
          if (number % 2 === 0) await connection.query(`INSERT INTO writes VALUES ('${operation}')`)
          else await connection.query(`INSERT INTO writes VALUES ($1) -- ${operation}`, [operation])
          acknowledged++
        }
      } catch (error) {
        // A dead gateway refuses nothing.
        if (isRefusal(error)) refusals.push(reasonOf(error))
        await sleep(20)
      }
      connection.end().catch(() => {})
    }
  }

  const running = Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  return {
    count: () => acknowledged,
    refusals: () => refusals,
    happened: () => happenedIn(server, life),
    async kill() {
      process.kill(pid, 'SIGKILL')
      stop.abort()
      await exited
      door.close()
      await running
      await quiet(server)
      return happenedIn(server, life)
    },
  }
}

function configFor(
  { folder, server, provider }: World,
  given: { port: number; store: string; flush: boolean },
): string {
  return stringify({
    listen: { host: '127.0.0.1', port: given.port },
    identity: { issuer: provider.issuer, clientId: provider.clientId, audience: provider.audience },
    store: { path: given.store },
    audit: { flush: given.flush },
    targets: [
      {
        name: 'pg',
        protocol: 'postgres',
        host: server.host,
        port: server.port,
        tls: { mode: 'disable' },
        user: 'app',
        databases: [server.database],
        secret: `file://${join(folder, 'password')}`,
        access: { groups: ['engineering'] },
      },
    ],
    rules: [{ name: 'all', effect: 'allow' }],
  })
}

async function ready(gateway: string, child: ChildProcess, log: readonly string[]): Promise<void> {
  const deadline = performance.now() + 30_000
  for (;;) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`the gateway did not start: ${log.join('').slice(-2000)}`)
    try {
      if ((await fetch(`${gateway}/readyz`)).ok) return
    } catch {
      // Not listening yet.
    }
    await sleep(50)
  }
}

function childOf(pid: number | undefined): number | undefined {
  const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return first === undefined || first === '' ? undefined : Number(first)
}

/** Said by the gateway, in PostgreSQL's words. */
function isRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.message.includes('audit')
}

/** Until PostgreSQL has done what it was still asked. */
async function quiet(server: Postgres): Promise<void> {
  for (;;) {
    const [row] = await server.query("SELECT count(*)::int AS busy FROM pg_stat_activity WHERE usename = 'app'")
    if (row?.busy === 0) return
    await sleep(20)
  }
}

function happenedIn(server: Postgres, life: string): ReadonlySet<string> {
  const happened = new Set<string>()
  for (const line of readFileSync(server.logFile, 'utf8').split('\n')) {
    const operation = /(statement|execute [^:]*): /.test(line) ? operationIn(line) : undefined
    if (operation?.startsWith(`op-${life}-`)) happened.add(operation)
  }
  return happened
}
