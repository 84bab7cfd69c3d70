/** Every request of the corpus through the protocol, judged by the real policy, to real servers: what counts is what they do. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Command } from '../../../../../src/contract/command.ts'
import type { Refusal } from '../../../../../src/contract/refusal.ts'
import { createRecordingCheckpoint } from '../../../../support/conversation.ts'
import { hasPython, type PythonServer, startLenientApp, startPythonFiles } from '../../../../support/lenient-app.ts'
import { hasNginx, type Nginx, startNginx } from '../../../../support/nginx.ts'
import { openRawClient, openTestDoor } from '../door.ts'
import { type Attempt, attempts, honest, type ServerName, unlisted } from './corpus.ts'
import { careful, judgeUnder, trusting } from './rules.ts'

const effect = 'FORBIDDEN EFFECT'

function refusing(rules: readonly unknown[]): (batch: readonly Command[]) => Refusal | undefined {
  const judge = judgeUnder(rules)
  return (batch) => {
    const stopped = batch.map((command) => judge(command).decision).find(({ verdict }) => verdict !== 'allow')
    return stopped === undefined ? undefined : { code: 'denied', message: stopped.reason, next: 'ask' }
  }
}

function written({ method, target, fields, body }: Attempt): Buffer {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const length = body === undefined ? '' : `Content-Length: ${body.length}\r\n`
  const head = `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines}${length}\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), body ?? Buffer.alloc(0)])
}

const title = ({ server, method, target, fields, body }: Attempt) =>
  `${server}: ${method} ${target} ${JSON.stringify(fields)} ${body?.toString('latin1').slice(0, 60) ?? ''}`
const titled = (list: readonly Attempt[]) => list.map((attempt) => ({ attempt, title: title(attempt) }))

describe.skipIf(!hasNginx() || !hasPython())('at real servers', () => {
  const servers = new Map<ServerName, Nginx | PythonServer>()
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hoop-bypass-'))
    for (const [name, text] of [
      ['private/secret.txt', effect],
      ['public/read.txt', 'fine'],
    ] as const) {
      await mkdir(join(folder, name, '..'), { recursive: true })
      await writeFile(join(folder, name), text)
    }
    servers.set('files', await startPythonFiles(folder))
    servers.set('app', await startLenientApp())
    servers.set(
      'nginx',
      await startNginx(
        (port) => `
        server {
          listen 127.0.0.1:${port};
          location /admin { return 200 "${effect}"; }
          location ~* ^/private { return 200 "${effect}"; }
          location ~ ^/app(/.*)$ { proxy_pass http://127.0.0.1:${port}$1; }
          location / { return 200 "fine"; }
        }`,
      ),
    )
  })
  afterAll(async () => {
    for (const server of servers.values()) await server.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const portOf = (name: ServerName) => servers.get(name)?.port ?? 0

  async function send(port: number, attempt: Attempt): Promise<string> {
    const client = await openRawClient(port)
    client.say(written(attempt))
    const heard = await client.ended
    client.socket.destroy()
    return heard
  }

  async function sendThrough(rules: readonly unknown[], attempt: Attempt): Promise<string> {
    const door = await openTestDoor(portOf(attempt.server), createRecordingCheckpoint(refusing(rules)))
    return await send(door.port, attempt)
  }

  it('holds at least eighty attempts, and most of them get there when nobody stands in between', () => {
    expect(attempts.length).toBeGreaterThanOrEqual(80)
    expect(attempts.filter(({ works }) => works).length).toBeGreaterThanOrEqual(80)
  })

  it.each(titled(attempts))('$title', async ({ attempt }) => {
    const direct = await send(portOf(attempt.server), attempt)
    expect(direct.includes(effect), direct).toBe(attempt.works)
    for (const rules of [trusting, careful]) {
      const heard = await sendThrough(rules, attempt)
      expect(heard).toMatch(/^HTTP\/1\.1 40[03] /)
      expect(heard).not.toContain(effect)
    }
  })

  it.each(titled(honest))('goes through: $title', async ({ attempt }) => {
    for (const rules of [trusting, careful]) {
      const heard = await sendThrough(rules, attempt)
      expect(heard).toMatch(/^HTTP\/1\.1 200 /)
      expect(heard).toContain('fine')
    }
  })

  it.each(titled(unlisted))('goes through only where all is free: $title', async ({ attempt }) => {
    expect(await sendThrough(trusting, attempt)).toMatch(/^HTTP\/1\.1 200 /)
    expect(await sendThrough(careful, attempt)).toMatch(/^HTTP\/1\.1 403 /)
  })
})
