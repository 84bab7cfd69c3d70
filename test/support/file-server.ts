/** nginx as a server of one folder's files. */
import { mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startNginx } from './nginx.ts'

export interface FileServer {
  readonly host: string
  readonly port: number
  readonly url: string
  /** What it serves. */
  readonly folder: string
  /** Its access log: `GET /a HTTP/1.1 206`. */
  asked(): Promise<readonly string[]>
  stop(): Promise<void>
}

export async function startFileServer(): Promise<FileServer> {
  const { port, folder, stop } = await startNginx((chosen, own) => {
    mkdirSync(join(own, 'files'), { recursive: true })
    return `  log_format line '$request $status';
  server { listen 127.0.0.1:${chosen}; root ${own}/files; access_log ${own}/access.log line; }`
  })
  return {
    host: '127.0.0.1',
    port,
    url: `http://127.0.0.1:${port}`,
    folder: join(folder, 'files'),
    asked: async () => (await readFile(join(folder, 'access.log'), 'utf8')).split('\n').filter((line) => line !== ''),
    stop,
  }
}
