/**
 * A real PostgreSQL server out of npm packages, in a throw-away folder: for `hoop demo` and for the tests. Works for root
 * too, without adding a user to the system: PostgreSQL refuses to run as root, so it then runs as `nobody`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { reasonOf } from '../base/errors.ts'
import { hoopError } from '../contract/error-codes.ts'
import { type Account, embeddedBinaries, unprivilegedAccount } from './embedded-binaries.ts'

export interface PostgresOptions {
  /** Where everything goes; a new temporary folder by default. Removed by stop(). */
  readonly folder?: string
  /** Server settings, as in postgresql.conf: `{ log_statement: 'all' }`. */
  readonly settings?: Readonly<Record<string, string>>
  /** PostgreSQL's own installation to use instead of the embedded one: a folder with initdb and postgres. */
  readonly binaries?: string
  /** How clients have to authenticate (pg_hba.conf). */
  readonly auth?: 'scram-sha-256' | 'md5' | 'password' | 'trust'
}

export interface Postgres {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  /** Server log, for tests that read what the server really saw. */
  readonly logFile: string
  /** Where the data is, for tests of what a statement can do to files. */
  readonly dataFolder: string
  readonly version: string
  /** Runs SQL as superuser, directly; with parameters a single statement, without also several. */
  query(sql: string, parameters?: unknown[], database?: string): Promise<Record<string, unknown>[]>
  stop(): Promise<void>
}

const user = 'postgres'
const startTimeoutMs = 60_000

export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'hoop-postgres-')))
  const password = randomBytes(18).toString('base64url')
  let server: ChildProcess | undefined
  try {
    await mkdir(folder, { recursive: true })
    // Others may pass through, so that an unprivileged server reaches its own folder below, but not look around.
    await chmod(folder, 0o711)
    const account = await unprivilegedAccount()
    const binaries = options.binaries ?? (await embeddedBinaries(folder, account))
    const home = join(folder, 'server')
    await mkdir(home, { mode: 0o700 })
    const passwordFile = join(home, 'password')
    await writeFile(passwordFile, password, { mode: 0o600 })
    if (account !== undefined) {
      await chown(home, account.uid, account.gid)
      await chown(passwordFile, account.uid, account.gid)
    }

    const dataFolder = join(home, 'data')
    const auth = options.auth ?? 'scram-sha-256'
    await run(join(binaries, 'initdb'), account, home, [
      `--pgdata=${dataFolder}`,
      `--username=${user}`,
      `--auth=${auth}`,
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--no-locale',
      '--no-sync',
      ...(auth === 'md5' ? ['--set=password_encryption=md5'] : []),
    ])
    await rm(passwordFile)

    const port = await freePort()
    const logFile = join(home, 'server.log')
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      logging_collector: 'off',
      ...options.settings,
    }
    server = await launch(join(binaries, 'postgres'), account, home, dataFolder, settings, logFile)
    const address = { host: '127.0.0.1', port, user, password, database: 'postgres' }
    const version = await firstAnswer(server, address, logFile)
    const running = server
    return {
      ...address,
      logFile,
      dataFolder,
      version,
      query: (sql, parameters, database = address.database) => query({ ...address, database }, sql, parameters),
      stop: async () => {
        await end(running)
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    if (server !== undefined) await end(server)
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

function start(
  program: string,
  account: Account | undefined,
  home: string,
  args: string[],
  output: 'pipe' | number,
): ChildProcess {
  return spawn(program, args, {
    cwd: home,
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', output, output],
    // A group of its own: Ctrl-C in the terminal is ours to handle, the server ends when we say so.
    detached: true,
    ...account,
  })
}

async function run(program: string, account: Account | undefined, home: string, args: string[]): Promise<void> {
  const child = start(program, account, home, args, 'pipe')
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      said += chunk
    })
  }
  const [code] = await once(child, 'close')
  if (code !== 0) throw hoopError('internal', `${program} failed: ${said.trim().slice(-500)}`)
}

async function launch(
  program: string,
  account: Account | undefined,
  home: string,
  dataFolder: string,
  settings: Readonly<Record<string, string>>,
  logFile: string,
): Promise<ChildProcess> {
  const args = ['-D', dataFolder]
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`)
  const log = await open(logFile, 'a', 0o600)
  try {
    const child = start(program, account, home, args, log.fd)
    await once(child, 'spawn')
    return child
  } finally {
    await log.close()
  }
}

type Address = Pick<Postgres, 'host' | 'port' | 'user' | 'password' | 'database'>

async function query(address: Address, sql: string, parameters?: unknown[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ ...address })
  await client.connect()
  try {
    const result = await client.query(sql, parameters)
    const last = Array.isArray(result) ? result.at(-1) : result
    return last?.rows ?? []
  } finally {
    await client.end()
  }
}

/** Waits until the server answers, and asks its version. */
async function firstAnswer(server: ChildProcess, address: Address, logFile: string): Promise<string> {
  const deadline = Date.now() + startTimeoutMs
  for (;;) {
    try {
      const [row] = await query(address, 'SHOW server_version')
      return String(row?.server_version)
    } catch (error) {
      if (server.exitCode !== null || Date.now() > deadline) {
        const log = await readFile(logFile, 'utf8').catch(() => '')
        throw hoopError('internal', `PostgreSQL did not start (${reasonOf(error)}): ${log.trim().slice(-500)}`, {
          cause: error,
        })
      }
      await new Promise((resume) => setTimeout(resume, 50))
    }
  }
}

/** Fast shutdown, then an immediate one if that takes too long. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = once(server, 'exit')
  server.kill('SIGINT')
  const urge = setTimeout(() => server.kill('SIGQUIT'), 10_000)
  await ended
  clearTimeout(urge)
}

/** A port on 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw hoopError('internal', 'no free port on 127.0.0.1')
  return address.port
}
