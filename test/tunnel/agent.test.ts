/** The local agent: ports, who may use them, and how it lives through what happens to the gateway. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createScope, type Scope } from '../../src/base/scope.ts'
import { createLink } from '../../src/gateway-client/link.ts'
import { openTunnel } from '../../src/tunnel/agent.ts'
import { createPorts } from '../../src/tunnel/ports.ts'
import type { Tunnel, TunnelEvent, TunnelOptions } from '../../src/tunnel/tunnel.ts'
import { type Door, startDoor, tunnelClient } from '../support/door.ts'
import { startTestIssuer, type TestIssuer } from '../support/test-issuer.ts'

let scope: Scope
let issuer: TestIssuer
let door: Door
let folder: string
let events: TunnelEvent[]
let heard: (event: TunnelEvent) => void

beforeEach(async () => {
  scope = createScope()
  events = []
  heard = () => {}
  issuer = await startTestIssuer()
  scope.defer(() => issuer.stop())
  door = await startDoor({ issuer })
  scope.defer(() => door.close())
  folder = await mkdtemp(join(tmpdir(), 'hoop-agent-'))
  scope.defer(() => rm(folder, { recursive: true }))
})
afterEach(() => scope.close())

async function tunnelTo(targets: string[], changes: Partial<TunnelOptions> & { token?: () => Promise<string> } = {}) {
  const { token = () => door.token(), ...options } = changes
  const link = createLink({ gateway: door.url, token })
  scope.defer(() => link.close())
  const tunnel = await openTunnel({
    client: tunnelClient(() => door),
    link,
    targets,
    reason: 'ticket 7',
    agent: 'devin',
    ports: createPorts({ folder, gateway: 'https://gateway.test' }),
    knownHosts: join(folder, 'known_hosts'),
    signal: new AbortController().signal,
    notify: (event) => {
      events.push(event)
      heard(event)
    },
    ...options,
  })
  scope.defer(() => tunnel.close())
  return tunnel
}

const root = { user: 'root@acme', subject: 'root', groups: [], roles: ['admin' as const], expires: 0 }
const portOf = (tunnel: Tunnel, index = 0) => tunnel.targets[index]?.port ?? 0

async function dial(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
  scope.defer(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

async function echoOf(text: string, port: number, host?: string): Promise<string> {
  const socket = await dial(port, host)
  socket.end(text)
  return Buffer.concat(await socket.toArray()).toString()
}

/** What a PostgreSQL client reads: the fields of an ErrorResponse, after asking for TLS as libpq does. */
async function postgresAnswer(port: number): Promise<Record<string, string>> {
  const socket = await dial(port)
  const int = (...values: number[]) => Buffer.from(new Int32Array(values).buffer).swap32()
  socket.write(int(8, 80877103))
  const [no] = (await once(socket, 'data')) as [Buffer]
  expect(no.toString()).toBe('N')
  const names = Buffer.from('user\0app\0\0')
  socket.write(Buffer.concat([int(8 + names.length, 196608), names]))
  const answer = Buffer.concat(await socket.toArray())
  socket.end()
  expect(answer.toString('latin1', 0, 1)).toBe('E')
  expect(answer.readInt32BE(1)).toBe(answer.length - 1)
  const fields = answer.toString('utf8', 5).split('\0').filter(Boolean)
  return Object.fromEntries(fields.map((field) => [field.slice(0, 1), field.slice(1)]))
}

const watched = (tunnel: Tunnel) =>
  vi.waitFor(() => expect([...door.sessions.watched]).toContain(tunnel.session.id), 5000)

const event = (name: TunnelEvent['event']) =>
  new Promise<TunnelEvent>((resolve) => {
    heard = (one) => one.event === name && resolve(one)
  })

describe('ports', () => {
  it('are one for each target, all in one session that names reason and agent', async () => {
    const tunnel = await tunnelTo(['pg-prod', 'pg-stage'])
    expect(portOf(tunnel)).not.toBe(portOf(tunnel, 1))
    expect([...door.sessions.all.values()]).toMatchObject([
      { id: tunnel.session.id, targets: ['pg-prod', 'pg-stage'], reason: 'ticket 7', agent: 'devin' },
    ])
    expect(await Promise.all([echoOf('one', portOf(tunnel)), echoOf('two', portOf(tunnel, 1))])).toEqual(['one', 'two'])
  })

  it('are the same next time', async () => {
    const first = await tunnelTo(['pg-prod'])
    await first.close()
    expect(portOf(await tunnelTo(['pg-prod']))).toBe(portOf(first))
  })

  it('that are taken are replaced for this time, and it is said', async () => {
    const first = await tunnelTo(['pg-prod'])
    const second = await tunnelTo(['pg-prod'])
    expect(portOf(second)).not.toBe(portOf(first))
    expect(events).toMatchObject([{ event: 'port', message: expect.stringContaining(`${portOf(first)} of pg-prod`) }])
    await first.close()
    await second.close()
    expect(portOf(await tunnelTo(['pg-prod']))).toBe(portOf(first))
  })

  it('that were asked for are had, or it fails', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    scope.defer(() => void server.close())
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    await expect(tunnelTo(['pg-prod'], { port })).rejects.toMatchObject({
      code: 'port-in-use',
      message: `port ${port} is taken`,
    })
    await expect(tunnelTo(['pg-prod', 'pg-stage'], { port })).rejects.toMatchObject({ code: 'usage' })
  })

  it('are left and the session ended when the tunnel is aborted', async () => {
    const stop = new AbortController()
    const tunnel = await tunnelTo(['pg-prod'], { signal: stop.signal })
    const open = await dial(portOf(tunnel))
    open.on('error', () => {})
    stop.abort()
    await tunnel.done
    expect(door.sessions.ended).toEqual([tunnel.session.id])
    await expect(dial(portOf(tunnel))).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('answer on ::1 too where that was asked for', async () => {
    const tunnel = await tunnelTo(['pg-prod'], { ipv6: true })
    expect(await echoOf('six', portOf(tunnel), '::1')).toBe('six')
    expect(await echoOf('four', portOf(tunnel))).toBe('four')
  })

  it('come with what a PostgreSQL client needs', async () => {
    const tunnel = await tunnelTo(['pg-prod'])
    const port = portOf(tunnel)
    expect(tunnel.targets[0]).toMatchObject({
      url: `postgresql://app@127.0.0.1:${port}/shop?sslmode=disable`,
      env: { PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: 'app', PGDATABASE: 'shop', PGSSLMODE: 'disable' },
      command: `psql 'postgresql://app@127.0.0.1:${port}/shop?sslmode=disable'`,
    })
  })
})

describe('a tunnel is not opened', () => {
  it('to a target that does not exist', async () => {
    await expect(tunnelTo(['pg-prd'])).rejects.toMatchObject({
      code: 'not-found',
      message: 'there is no target named "pg-prd"',
    })
  })

  it('to a target that one may not use, and says why', async () => {
    await expect(tunnelTo(['pg-prod', 'pg-secret'])).rejects.toMatchObject({
      code: 'not-allowed',
      message: 'pg-secret: only for group dba',
    })
    expect(door.sessions.all.size).toBe(0)
  })
})

describe('a process of another user', () => {
  // Needs two users: only root can be somebody else for a moment.
  const canTry = process.platform === 'linux' && process.getuid?.() === 0
  if (!canTry) {
    if (process.env.CI) throw new Error('this test needs root on Linux')
    console.warn('skipped: whether foreign users are refused can only be tested as root on Linux')
  }

  it.skipIf(!canTry)('is told so in PostgreSQL and gets nothing through', async () => {
    const tunnel = await tunnelTo(['pg-prod'])
    const startup = '00000013000300007573657200617070000000'
    const script = `
      const s = require('net').connect(${portOf(tunnel)}, '127.0.0.1', () => s.write(Buffer.from('${startup}', 'hex')))
      s.pipe(process.stdout)`
    const child = spawn(process.execPath, ['-e', script], { uid: 65_534, gid: 65_534, cwd: '/', env: {} })
    child.stderr.pipe(process.stderr)
    const said = Buffer.concat(await child.stdout.toArray()).toString()
    expect(said).toContain('this port belongs to another user of this machine')
    expect(events).toMatchObject([{ event: 'refused' }])
  })

  it.skipIf(!canTry)('of the same user is served, also a hundred at once', async () => {
    const tunnel = await tunnelTo(['pg-prod'])
    const all = await Promise.all(Array.from({ length: 100 }, (_, n) => echoOf(`${n}`, portOf(tunnel))))
    expect(all).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`))
  })
})

describe('when the gateway', () => {
  const restart = async () => {
    const { port } = door
    await door.close()
    return async (sessions?: Door['sessions']) => {
      door = await startDoor({ issuer, port })
      for (const [id, session] of sessions?.all ?? []) door.sessions.all.set(id, session)
    }
  }

  it('restarts, the port stays, a connection made meanwhile waits and works, and both are said', async () => {
    const tunnel = await tunnelTo(['pg-prod'])
    const { sessions } = door
    const lost = event('lost')
    const start = await restart()
    expect((await lost).message).toContain('lost 127.0.0.1')
    const waiting = echoOf('hello', portOf(tunnel))
    const back = event('back')
    await start(sessions)
    expect((await back).message).toContain('is back')
    expect(await waiting).toBe('hello')
    expect(events.map((one) => one.event)).toEqual(['lost', 'back'])
  })

  it('has forgotten the session, one new one is started for all connections, and it is said', async () => {
    const tunnel = await tunnelTo(['pg-prod'])
    const before = tunnel.session.id
    door.sessions.all.clear()
    const all = await Promise.all(Array.from({ length: 10 }, (_, n) => echoOf(`${n}`, portOf(tunnel))))
    expect(all).toEqual(Array.from({ length: 10 }, (_, n) => `${n}`))
    expect(events).toMatchObject([{ event: 'session', session: { id: tunnel.session.id } }])
    expect([...door.sessions.all.keys()]).toEqual([tunnel.session.id])
    expect(tunnel.session.id).not.toBe(before)
  })

  it('does not come back in time, the client is told in its own protocol', async () => {
    const tunnel = await tunnelTo(['pg-prod'], { patienceMs: 1000 })
    const { port } = door
    const lost = event('lost')
    await door.close()
    await lost
    expect(await postgresAnswer(portOf(tunnel))).toMatchObject({
      S: 'FATAL',
      C: '08004',
      M: `cannot reach 127.0.0.1:${port} (connection refused)`,
      H: expect.any(String),
    })
  })

  it('says that the session was killed, so does the tunnel, and ends', async () => {
    const tunnel = await tunnelTo(['pg-prod'])
    await watched(tunnel)
    door.sessions.killed.add(tunnel.session.id)
    const answer = await postgresAnswer(portOf(tunnel))
    expect(answer.M).toContain('was killed by root@acme: enough')
    await expect(tunnel.done).rejects.toMatchObject({ code: 'killed' })
    await expect(dial(portOf(tunnel))).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('has the session killed, the tunnel ends at once although nobody connects through it', async () => {
    const tunnel = await tunnelTo(['pg-prod'])
    await watched(tunnel)
    const { sessions } = door
    await (await restart())(sessions)
    await fetch(`${door.url}/v1/sessions/${tunnel.session.id}/kill`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await door.token()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'enough' }),
    })
    await expect(tunnel.done).rejects.toMatchObject({
      code: 'killed',
      message: expect.stringContaining('was killed by root@acme: enough'),
    })
    await expect(dial(portOf(tunnel))).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('has the session killed, those who are connected hear why before they are cut', async () => {
    let last: Promise<unknown> = Promise.resolve()
    const killed = Promise.withResolvers<void>()
    await door.close()
    door = await startDoor({
      issuer,
      run: async (stream) => {
        stream.write('hello')
        last = killed.promise.then(() => sleep(200)).then(() => stream.end('killed by root'))
        await last
      },
    })
    const tunnel = await tunnelTo(['pg-prod'])
    await watched(tunnel)
    const socket = await dial(portOf(tunnel))
    await once(socket, 'data')
    await door.sessions.kill({ ...root, user: tunnel.session.user }, tunnel.session.id, 'enough')
    killed.resolve()
    expect(Buffer.concat(await socket.toArray()).toString()).toBe('killed by root')
    socket.end()
    await expect(tunnel.done).rejects.toMatchObject({ code: 'killed' })
  })

  it('finds the token expired, the client is told to sign in, and the next good token works', async () => {
    let good = true
    const exp = Math.floor(Date.now() / 1000) - 60
    const tunnel = await tunnelTo(['pg-prod'], { token: () => issuer.token(good ? {} : { exp }) })
    good = false
    expect(await postgresAnswer(portOf(tunnel))).toMatchObject({
      M: 'your sign-in has expired',
      H: 'sign in with "hoop login"',
    })
    good = true
    expect(await echoOf('hello', portOf(tunnel))).toBe('hello')
  })
})
