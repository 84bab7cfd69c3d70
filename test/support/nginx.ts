/** A real nginx on loopback, with a configuration of the test's own, in a folder that is gone afterwards. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export interface Nginx {
  readonly port: number
  readonly folder: string
  stop(): Promise<void>
}

const places = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx', '/opt/homebrew/bin/nginx']

function findNginx(): string | undefined {
  return places.find((place) => existsSync(place))
}

/** In CI it has to be there; elsewhere its tests are left out, loudly. */
export function hasNginx(): boolean {
  if (findNginx() !== undefined) return true
  if (process.env.CI !== undefined) throw new Error('nginx is missing, and CI has to have it')
  console.warn('LEFT OUT: the tests with nginx, because there is none here')
  return false
}

/** `http`: what stands inside of `http { }`, for a server that listens on 127.0.0.1 at this port. */
export async function startNginx(http: (port: number, folder: string) => string): Promise<Nginx> {
  const program = findNginx()
  if (program === undefined) throw new Error('there is no nginx')
  const folder = await mkdtemp(join(tmpdir(), 'hoop-nginx-'))
  // Somebody may take a free port before nginx does.
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const port = await freePort()
    await writeFile(join(folder, 'nginx.conf'), configuration(folder, http(port, folder)))
    const process = spawn(program, ['-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')], {
      stdio: 'ignore',
    })
    if (await listens(process, port)) return { port, folder, stop: () => stop(process, folder) }
  }
  await rm(folder, { recursive: true })
  throw new Error('nginx does not start')
}

function configuration(folder: string, http: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return [
    'daemon off;',
    'master_process off;',
    `pid ${folder}/nginx.pid;`,
    'events { worker_connections 512; }',
    'http {',
    ...temporary.map((name) => `  ${name}_temp_path ${folder}/${name};`),
    '  access_log off;',
    http,
    '}',
    '',
  ].join('\n')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function listens(process: ChildProcess, port: number): Promise<boolean> {
  for (let tries = 0; tries < 500 && process.exitCode === null; tries += 1) {
    const socket = connect({ host: '127.0.0.1', port })
    try {
      await once(socket, 'connect')
      return true
    } catch {
      await pause(10)
    } finally {
      socket.destroy()
    }
  }
  process.kill('SIGKILL')
  return false
}

async function stop(process: ChildProcess, folder: string): Promise<void> {
  if (process.exitCode === null && process.signalCode === null) {
    const ended = once(process, 'exit')
    process.kill('SIGKILL')
    await ended
  }
  await rm(folder, { recursive: true, force: true })
}
