/** nginx, twice: the API that is asked, and the yardstick, a reverse proxy before it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../../src/demo/postgres.ts'
import type { Installed } from '../tools.ts'

export interface Nginx {
  readonly port: number
  stop(): Promise<void>
}

/** Large enough to be a download. */
export const largePath = '/large'

export interface Served {
  /** JSON by its path, without a quote, dollar or backslash that nginx would read. */
  readonly answers: Readonly<Record<string, string>>
  readonly largeFile: string
}

export async function startApi(tool: Installed, folder: string, { answers, largeFile }: Served): Promise<Nginx> {
  return await start(tool, join(folder, 'api'), (port) => [
    'server {',
    `listen 127.0.0.1:${port} backlog=1024; keepalive_requests 1000000000;`,
    ...Object.entries(answers).map(
      ([path, json]) => `location = ${path} { default_type application/json; return 200 '${json}'; }`,
    ),
    `location = ${largePath} { default_type application/octet-stream; alias ${largeFile}; }`,
    '}',
  ])
}

/** As people write it down: kept connections to the API, nothing buffered on disk. */
export async function startProxy(tool: Installed, folder: string, to: number): Promise<Nginx> {
  return await start(tool, join(folder, 'proxy'), (port) => [
    `upstream api { server 127.0.0.1:${to}; keepalive 128; keepalive_requests 1000000000; }`,
    'server {',
    `listen 127.0.0.1:${port} backlog=1024; keepalive_requests 1000000000;`,
    'location / {',
    'proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_max_temp_file_size 0;',
    '}',
    '}',
  ])
}

async function start(tool: Installed, folder: string, http: (port: number) => readonly string[]): Promise<Nginx> {
  await mkdir(folder)
  const port = await freePort()
  const config = join(folder, 'nginx.conf')
  const log = join(folder, 'error.log')
  const lines = [
    // Its workers have to read what belongs to whoever runs the bench.
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    'worker_processes auto; daemon off;',
    `pid ${join(folder, 'pid')}; error_log ${log};`,
    'events { worker_connections 4096; }',
    'http {',
    'access_log off; sendfile on; tcp_nopush on;',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(folder, name)};`),
    ...http(port),
    '}',
  ]
  await writeFile(config, `${lines.join('\n')}\n`)
  const child = spawn(tool.path, ['-c', config, '-p', folder, '-e', log], { stdio: 'ignore', detached: true })
  const ended = once(child, 'exit')
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await ended
  }
  const until = performance.now() + 10_000
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() > until) {
      await stop()
      throw new Error(`nginx did not start: ${(await readFile(log, 'utf8').catch(() => '')).trim().slice(-500)}`)
    }
    await sleep(20)
  }
  return { port, stop }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
