/** HTTP through the whole road: all that clients do comes out as it does without hoop, and rules and masks hold. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { paths } from '../../../src/contract/api.ts'
import { hoop, hoopConnect } from '../../support/built-cli.ts'
import { apiKey, type HttpWorld, startHttpWorld } from '../../support/http-world.ts'
import { hasNginx } from '../../support/nginx.ts'
import { dailyWork, type Road } from './daily-work.ts'

const run = promisify(execFile)

describe.runIf(hasNginx())('through hoop', () => {
  let world: HttpWorld
  let road: Road
  beforeAll(async () => {
    world = await startHttpWorld()
    const [open, files] = [await world.open('open'), await world.open('files')]
    road = { url: open.url, server: world.server, filesUrl: files.url, files: world.files, folder: world.folder }
  })
  afterAll(() => world?.stop())

  dailyWork(() => road)

  describe('rules', () => {
    test('a refused request never arrives, is told as a problem, and the connection goes on', async () => {
      const { url } = await world.open('ruled')
      const response = await fetch(`${url}/admin/users`)
      expect(response.status).toBe(403)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      expect(await response.json()).toMatchObject({
        status: 403,
        verdict: 'denied',
        rule: 'no-admin-paths',
        detail: expect.stringContaining('ask for what you need'),
        command: expect.stringMatching(/^cmd_/),
      })
      expect(world.server.heard).not.toContain('GET /admin/users')
      expect((await fetch(`${url}/bytes/1`)).status).toBe(200)
    })

    test('a refused upload is told before its body is sent', async () => {
      const { url } = await world.open('ruled')
      const file = join(world.folder, 'refused.bin')
      await writeFile(file, randomBytes(2 * 1024 * 1024))
      const types = ['-H', 'Expect: 100-continue', '-H', 'Content-Type: application/octet-stream']
      const words = ['-sS', '--expect100-timeout', '20', ...types, '-T', file, `${url}/admin/upload`]
      const { stdout } = await run('curl', [...words, '-o', '/dev/null', '-w', '%{http_code} %{size_upload}'])
      expect(stdout).toBe('403 0')
      expect(world.server.heard).not.toContain('PUT /admin/upload')
    })

    test.each(['/x/../admin/users', '/%61dmin/users', '//admin/users', '/admin;v=1/users'])(
      'another way to write the path (%s) is no way around',
      async (path) => {
        const { port } = await world.open('ruled')
        const known = world.server.heard.length
        // Not fetch, which would write the path anew.
        const [response] = await once(request({ port, path }).end(), 'response')
        expect(response.statusCode).toBe(403)
        response.resume()
        expect(world.server.heard).toHaveLength(known)
      },
    )

    test('a held DELETE waits, and runs once it is approved', async () => {
      const { url } = await world.open('ruled')
      const asked = fetch(`${url}/said/doomed`, { method: 'DELETE' })
      const approval = await world.held('/said/doomed')
      expect(world.server.heard).not.toContain('DELETE /said/doomed')
      const confirm = ['--confirm', approval.confirm ?? '']
      expect((await hoop(['approve', approval.id, '--reason', 'fine', ...confirm], world.dba)).stderr).toContain(
        'Approved',
      )
      expect((await asked).status).toBe(200)
      expect(world.server.heard).toContain('DELETE /said/doomed')
    })

    test('a held DELETE that is denied never arrives', async () => {
      const { url } = await world.open('ruled')
      const asked = fetch(`${url}/said/kept`, { method: 'DELETE' })
      const approval = await world.held('/said/kept')
      expect((await hoop(['deny', approval.id, '--reason', 'still in use'], world.dba)).code).toBe(0)
      const response = await asked
      expect(response.status).toBe(403)
      expect(JSON.stringify(await response.json())).toContain('still in use')
      expect(world.server.heard).not.toContain('DELETE /said/kept')
    })

    test('Prefer: respond-async gets 202 and a place where the answer will be', async () => {
      const { url } = await world.open('ruled')
      const headers = { prefer: 'respond-async' }
      const accepted = await fetch(`${url}/said/later`, { method: 'DELETE', headers })
      expect(accepted.status).toBe(202)
      const place = new URL(accepted.headers.get('location') ?? '', url)
      const { approval } = (await accepted.json()) as { approval: string }
      expect((await fetch(place)).status).toBe(202)
      const { confirm } = await world.held('/said/later')
      await hoop(['approve', approval, '--reason', 'fine', '--confirm', confirm ?? ''], world.dba)
      let answer = await fetch(place)
      while (answer.status === 202) {
        await pause(50)
        answer = await fetch(place)
      }
      expect(answer.status).toBe(200)
      expect(await answer.json()).toMatchObject({ method: 'DELETE', url: '/said/later' })
    })

    test('a web page cannot use the port: a foreign Host or Origin is refused', async () => {
      const { port } = await world.open('open')
      for (const headers of [{ host: 'evil.example' }, { origin: 'https://evil.example' }]) {
        const [response] = await once(request({ port, path: '/said/by-a-page', headers }).end(), 'response')
        expect(response.statusCode).toBe(403)
        response.resume()
      }
      expect(world.server.heard).not.toContain('GET /said/by-a-page')
    })
  })

  test('masks reach into JSON, packed or not', async () => {
    const { url } = await world.open('masked')
    const response = await fetch(`${url}/customers`)
    const text = await response.text()
    expect(JSON.parse(text)).toMatchObject([{ id: 1, name: 'Ana' }])
    expect(text).not.toContain('very-secret-1')
    expect(text).not.toContain('ana@example.com')
  })

  test('the credential is added, replaces what the client sent there, and comes back nowhere', async () => {
    const { url } = await world.open('secured')
    const response = await fetch(`${url}/said/with-key`, { headers: { 'x-api-key': 'mine' } })
    expect(world.server.headersOf('/said/with-key')['x-api-key']).toBe(apiKey)
    expect(await response.text()).not.toContain(apiKey)
    expect(JSON.stringify(await world.records())).not.toContain(apiKey)
  })

  test('a target that is not there is a 502, and tells which', async () => {
    const { url } = await world.open('dead')
    const response = await fetch(url)
    expect(response.status).toBe(502)
    expect(JSON.stringify(await response.json())).toContain('dead')
  })

  test('a program behind -- finds the base URL in HOOP_URL_OPEN', async () => {
    const script = `const r = await fetch(process.env.HOOP_URL_OPEN + '/bytes/3'); console.log((await r.arrayBuffer()).byteLength)`
    const ended = await hoop(
      ['connect', 'open', '--', process.execPath, '--input-type=module', '-e', script],
      world.dev,
    )
    expect(ended).toMatchObject({ code: 0, stdout: '3\n' })
  })

  test('the audit holds what was asked, how it ended, and no secret header', async () => {
    const { url, session } = await world.open('open')
    const body = JSON.stringify({ amount: randomBytes(4).toString('hex') })
    await fetch(`${url}/echo?ticket=4711`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer mine', cookie: 'c=mine' },
      body,
    })
    const records = await world.records()
    const command = records.find(
      (record) => record.type === 'command' && JSON.stringify(record).includes('ticket=4711'),
    )
    expect(command).toMatchObject({
      session,
      user: 'dev@e2e',
      asked: { protocol: 'http', verb: 'POST', objects: expect.arrayContaining(['/echo']) },
    })
    const text = JSON.stringify(command)
    expect(text).toContain(JSON.stringify(body).slice(1, -1))
    expect(text).not.toContain('mine')
  })

  test('a kill ends a download and a WebSocket within a second, and says why', async () => {
    const own = await hoopConnect('open', world.dev)
    const socket = new WebSocket(`${own.url.replace('http', 'ws')}/socket`)
    await once(socket, 'open')
    socket.on('error', () => undefined)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    const asked = request(`${own.url}/bytes/2000000000`).end()
    const [download] = await once(asked, 'response')
    asked.on('error', () => undefined)
    const gone = new Promise((resolve) => download.once('close', resolve))
    download.on('error', () => undefined)
    download.resume()
    const began = performance.now()
    const answer = await fetch(world.gateway.url + paths.killSession(own.session), {
      method: 'POST',
      headers: { authorization: `Bearer ${world.dba.HOOP_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'runaway' }),
    })
    expect(answer.ok).toBe(true)
    await Promise.all([closed, gone])
    expect(performance.now() - began).toBeLessThan(1000)
    await own.stop()
    expect(own.stderr()).toContain('runaway')
  })

  test('a gigabyte goes up in bounded memory of the gateway', async () => {
    const { port } = await world.open('open')
    const size = 1_000_000_000
    const piece = randomBytes(1_000_000)
    const hash = createHash('sha256')
    const asked = request({ port, path: '/digest', method: 'PUT', headers: { 'content-length': size } })
    let most = 0
    for (let at = 0; at < size; at += piece.length) {
      hash.update(piece)
      if (!asked.write(piece)) await once(asked, 'drain')
      if (at % 50_000_000 === 0) most = Math.max(most, await residentBytes(world.gateway.pid))
    }
    asked.end()
    const [response] = await once(asked, 'response')
    expect(JSON.parse(Buffer.concat(await response.toArray()).toString())).toMatchObject({
      bytes: size,
      sha256: hash.digest('hex'),
    })
    expect(most).toBeLessThan(512 * 1024 * 1024)
  })
})

async function residentBytes(pid: number): Promise<number> {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) * 1024
}
