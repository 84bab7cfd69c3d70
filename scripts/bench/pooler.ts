/** pgbouncer in session mode, the yardstick: as little as a proxy in C can cost. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { unprivilegedAccount } from '../../src/demo/embedded-binaries.ts'
import { freePort, type Postgres } from '../../src/demo/postgres.ts'
import { shopDatabase, shopUser } from '../../src/demo/shop.ts'
import type { Installed } from './tools.ts'

export interface Pooler {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

export async function startPooler(
  tool: Installed,
  server: Postgres,
  password: string,
  connections: number,
): Promise<Pooler> {
  const folder = await mkdtemp(join(tmpdir(), 'hoop-bench-pgbouncer-'))
  const account = await unprivilegedAccount()
  const port = await freePort()
  const configFile = join(folder, 'pgbouncer.ini')
  const usersFile = join(folder, 'users.txt')
  const logFile = join(folder, 'pgbouncer.log')
  await writeFile(usersFile, `"${shopUser}" "${password}"\n`, { mode: 0o600 })
  await writeFile(
    configFile,
    `[databases]
${shopDatabase} = host=${server.host} port=${server.port} dbname=${shopDatabase}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${usersFile}
pool_mode = session
max_client_conn = ${connections}
default_pool_size = ${connections}
server_idle_timeout = 5
ignore_startup_parameters = extra_float_digits
logfile = ${logFile}
log_connections = 0
log_disconnections = 0
`,
    { mode: 0o600 },
  )
  // It refuses to run as root, as PostgreSQL does.
  if (account !== undefined)
    for (const path of [folder, configFile, usersFile]) await chown(path, account.uid, account.gid)
  const child = spawn(tool.path, ['-q', configFile], { cwd: folder, stdio: 'ignore', detached: true, ...account })
  const ended = once(child, 'exit')
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  const until = performance.now() + 10_000
  while (!(await answers(port))) {
    if (child.exitCode !== null || child.pid === undefined || performance.now() > until) {
      const log = await readFile(logFile, 'utf8').catch(() => '')
      await stop()
      throw new Error(`pgbouncer did not start: ${log.trim().slice(-500)}`)
    }
    await sleep(20)
  }
  if (child.pid === undefined) throw new Error('pgbouncer has no process number')
  return { port, pid: child.pid, stop }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
