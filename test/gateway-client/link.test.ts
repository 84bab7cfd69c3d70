/** The way to the gateway: what it needs, what it tells, and what it falls back to. */
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createScope, type Scope } from '../../src/base/scope.ts'
import { linkProtocol } from '../../src/contract/link.ts'
import { createLink, type Link, type LinkEvent, type LinkOptions } from '../../src/gateway-client/link.ts'
import { proxyFor } from '../../src/gateway-client/proxy.ts'
import { createPort } from '../../src/gateway/server/port.ts'
import { makeCertificate } from '../support/certificate.ts'
import { type Door, type DoorOptions, startDoor, startHttp1Front } from '../support/door.ts'

const certificate = makeCertificate()
afterAll(() => certificate?.remove())

let scope: Scope
let events: LinkEvent[]
beforeEach(() => {
  scope = createScope()
  events = []
})
afterEach(() => scope.close())

async function doorWith(options?: DoorOptions): Promise<Door> {
  const door = await startDoor(options)
  scope.defer(() => door.close())
  return door
}

function linkTo(gateway: string, token: () => Promise<string>, options: Partial<LinkOptions> = {}): Link {
  const link = createLink({ gateway, token, timeoutMs: 1000, ...options })
  link.onEvent((event) => events.push(event))
  scope.defer(() => link.close())
  return link
}

async function sessionAt(door: Door): Promise<string> {
  const caller = {
    user: 'ana@acme',
    subject: 'sub-ana',
    groups: [],
    roles: [],
    expires: 0,
  }
  return (await door.sessions.start(caller, { targets: ['pg-prod'], reason: null, agent: null })).id
}

async function echoOf(text: string, stream: Duplex): Promise<string> {
  stream.end(text)
  return Buffer.concat(await stream.toArray()).toString()
}

async function listen(server: { listen(port: number, host: string): unknown; address(): unknown }): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server as never, 'listening')
  return (server.address() as { port: number }).port
}

/** Counts connections and cuts them all when the test is over. */
async function startServer(
  onConnection: (socket: Socket) => void,
): Promise<{ port: number; connections: () => number }> {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket.on('error', () => {}))
    onConnection(socket)
  })
  const port = await listen(server)
  scope.defer(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { port, connections: () => connections }
}

describe.each(['upgrade', 'websocket'] as const)('over %s', (transport) => {
  async function linked(options?: DoorOptions): Promise<{ door: Door; link: Link }> {
    const door = await doorWith(options)
    if (transport === 'upgrade') return { door, link: linkTo(door.url, door.token) }
    const front = await startHttp1Front(door.port)
    scope.defer(() => front.close())
    return { door, link: linkTo(front.url, door.token) }
  }

  it.each<[string, (door: Door) => Promise<void> | void, { code: string; message: string }]>([
    [
      'a session it does not know',
      (door) => door.sessions.all.clear(),
      { code: 'not-found', message: 'there is no session' },
    ],
    ["somebody else's session", (door) => rename(door), { code: 'not-allowed', message: "somebody else's" }],
    ['a killed session', (door) => kill(door), { code: 'killed', message: 'was killed by root@acme: enough' }],
    [
      'an issuer that fails',
      (door) => door.issuer.fail(500),
      { code: 'identity-unavailable', message: 'the identity provider' },
    ],
  ])('the gateway says why it does not open: %s', async (_, change, expected) => {
    const { door, link } = await linked()
    const session = await sessionAt(door)
    await change(door)
    await expect(link.open('pg-prod', session)).rejects.toMatchObject({
      code: expected.code,
      message: expect.stringContaining(expected.message),
    })
  })

  it('a target outside the session is not opened', async () => {
    const { door, link } = await linked()
    await expect(link.open('pg-stage', await sessionAt(door))).rejects.toMatchObject({ code: 'not-found' })
    await expect(link.open('pg/../prod?x=1', await sessionAt(door))).rejects.toMatchObject({
      message: 'the session has no target "pg/../prod?x=1"',
    })
  })

  it('a bad token is refused for each connection, and the next good one works on the same link', async () => {
    const { door } = await linked()
    let token = 'not-a-token'
    const link = linkTo(door.url, async () => token)
    const session = await sessionAt(door)
    await expect(link.open('pg-prod', session)).rejects.toMatchObject({ code: 'sign-in-needed' })
    token = await door.token()
    expect(await echoOf('hello', await link.open('pg-prod', session))).toBe('hello')
  })

  it('an aborted open is given up', async () => {
    const { door, link } = await linked()
    const stop = new AbortController()
    await link.connect()
    const opening = link.open('pg-prod', await sessionAt(door), { signal: stop.signal })
    stop.abort()
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('what the gateway says first, before the client says anything, arrives', async () => {
    const { door, link } = await linked({ run: async (stream) => void stream.end('welcome') })
    const session = await sessionAt(door)
    for (let n = 0; n < 20; n++) {
      const stream = await link.open('pg-prod', session)
      expect(Buffer.concat(await stream.toArray()).toString()).toBe('welcome')
      stream.end()
    }
  })

  it('all streams end when the link is closed', async () => {
    const { door, link } = await linked()
    const stream = await link.open('pg-prod', await sessionAt(door))
    stream.on('error', () => {})
    const closed = new Promise((resolve) => stream.once('close', resolve))
    link.close()
    await closed
    await expect(link.open('pg-prod', 'x')).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('one socket', () => {
  it('leaves nothing open at the gateway when the link is closed, also while a stream is', async () => {
    const door = await doorWith()
    const session = await sessionAt(door)
    const link = linkTo(door.url, door.token)
    const stream = await link.open('pg-prod', session)
    stream.on('error', () => {})
    await expect(link.open('pg-stage', session)).rejects.toMatchObject({ code: 'not-found' })
    link.close()
    // What is left is the connection that asks.
    const open = async () =>
      (await (await fetch(`${door.url}/metrics`)).text()).match(/^hoop_open_sockets (\d+)$/m)?.[1]
    while ((await open()) !== '1') await new Promise((resolve) => setTimeout(resolve, 20))
  })

  it('carries all streams over one connection', async () => {
    const door = await doorWith()
    const counting = await startServer((client) => {
      const upstream = connect(door.port, '127.0.0.1').on('error', () => {})
      client.pipe(upstream).pipe(client)
    })
    const link = linkTo(`http://127.0.0.1:${counting.port}`, door.token)
    const session = await sessionAt(door)
    const all = Array.from({ length: 50 }, async (_, n) => echoOf(`${n}`, await link.open('pg-prod', session)))
    expect(await Promise.all(all)).toEqual(Array.from({ length: 50 }, (_, n) => `${n}`))
    expect(counting.connections()).toBe(1)
    expect(events).toMatchObject([{ event: 'connected' }])
  })
})

describe('WebSockets are taken', () => {
  it('where only they pass, and the upgrade is not tried again', async () => {
    const door = await doorWith()
    const front = await startHttp1Front(door.port)
    scope.defer(() => front.close())
    let attempts = 0
    const counting = await startServer((client) => {
      client.once('data', (first: Buffer) => {
        if (first.includes(linkProtocol)) attempts += 1
        const upstream = connect(front.port, '127.0.0.1').on('error', () => {})
        upstream.write(first)
        client.pipe(upstream).pipe(client)
      })
    })
    const link = linkTo(`http://127.0.0.1:${counting.port}`, door.token)
    const session = await sessionAt(door)
    for (let n = 0; n < 3; n++) expect(await echoOf(`${n}`, await link.open('pg-prod', session))).toBe(`${n}`)
    expect(attempts).toBe(1)
    expect(events).toMatchObject([{ message: expect.stringContaining('over WebSockets') }])
  })

  it('and when the gateway restarts, the loss is noticed, the return awaited, and both are said', async () => {
    const first = await startDoor()
    scope.defer(() => first.issuer.stop())
    const front = await startHttp1Front(first.port)
    scope.defer(() => front.close())
    const link = linkTo(front.url, () => first.token())
    const session = await sessionAt(first)
    const stream = await link.open('pg-prod', session)
    stream.on('error', () => {})
    const lost = new Promise<void>((resolve) => {
      link.onEvent(({ event }) => event === 'lost' && resolve())
    })
    await first.server.close()
    await lost
    const waiting = link.open('pg-prod', session, { patienceMs: 5000 })
    const second = await startDoor({ port: first.port, issuer: first.issuer })
    scope.defer(() => second.close())
    for (const [id, one] of first.sessions.all) second.sessions.all.set(id, one)
    expect(await echoOf('hello', await waiting)).toBe('hello')
    expect(events.map(({ event }) => event)).toEqual(['connected', 'lost', 'back'])
  })

  it.each<[string, (client: Socket) => void]>([
    ...[200, 400, 404, 405, 426, 500, 501].map((status): [string, (client: Socket) => void] => [
      `answers the upgrade with ${status}`,
      (client) => client.end(`HTTP/1.1 ${status} Status\r\ncontent-length: 2\r\n\r\nno`),
    ]),
    ['closes the connection', (client) => client.destroy()],
    ['never answers', () => {}],
    [
      'upgrades and passes nothing on',
      (client) => client.write(`HTTP/1.1 101 Yes\r\nupgrade: ${linkProtocol}\r\n\r\n`),
    ],
    [
      'upgrades to something else',
      (client) => client.write('HTTP/1.1 101 Yes\r\nupgrade: x\r\n\r\n\x00\x00what is this?'),
    ],
  ])('where something %s', async (_, answer) => {
    const door = await doorWith()
    const front = await startServer((client) => {
      client.once('data', (first: Buffer) => {
        if (first.includes(linkProtocol)) return void answer(client)
        const upstream = connect(door.port, '127.0.0.1').on('error', () => {})
        upstream.write(first)
        client.pipe(upstream).pipe(client)
      })
    })
    const link = linkTo(`http://127.0.0.1:${front.port}`, door.token, { timeoutMs: 300 })
    expect(await echoOf('hello', await link.open('pg-prod', await sessionAt(door)))).toBe('hello')
    expect(events).toMatchObject([{ message: expect.stringContaining('over WebSockets') }])
  })
})

it('a gateway that does not answer to that name says so', async () => {
  const door = await doorWith()
  const front = await startServer((client) => {
    client.once('data', (first: Buffer) => {
      const upstream = connect(door.port, '127.0.0.1').on('error', () => {})
      upstream.write(first.toString('latin1').replace(/host: [^\r]*/i, 'host: evil.example'), 'latin1')
      client.pipe(upstream).pipe(client)
    })
  })
  await expect(linkTo(`http://127.0.0.1:${front.port}`, door.token).connect()).rejects.toMatchObject({
    code: 'not-allowed',
    message: 'this gateway is not called evil.example',
  })
})

describe('a gateway that cannot be reached is named, with the reason', () => {
  const token = async () => 'token'

  it('when nobody listens', async () => {
    await expect(linkTo('http://127.0.0.1:1', token).connect()).rejects.toMatchObject({
      code: 'gateway-unreachable',
      message: 'cannot reach 127.0.0.1:1 (connection refused)',
      hint: 'check the address with "hoop status"',
    })
  })

  it('when there is no such host', async () => {
    const link = linkTo('http://gateway.invalid:7117', token)
    await expect(link.connect()).rejects.toMatchObject({
      message: expect.stringMatching(
        /^cannot reach gateway.invalid:7117 \((no such host|the name cannot be looked up now)\)$/,
      ),
    })
  })

  it('when nothing is said in time', async () => {
    const silent = await startServer(() => {})
    const link = linkTo(`https://127.0.0.1:${silent.port}`, token, { timeoutMs: 100 })
    await expect(link.connect()).rejects.toMatchObject({
      message: `cannot reach 127.0.0.1:${silent.port} (timed out after 0.1 s)`,
    })
  })

  it('when it does not speak TLS', async () => {
    const door = await doorWith()
    await expect(linkTo(door.url.replace('http:', 'https:'), token).connect()).rejects.toMatchObject({
      message: `cannot reach 127.0.0.1:${door.port} (it does not speak TLS; is the address http://?)`,
    })
  })

  it('when something else answers there', async () => {
    const other = createHttpServer((_request, response) => {
      response.statusCode = 404
      response.end('<html>')
    })
    const port = await listen(other)
    scope.defer(() => {
      other.close()
      other.closeAllConnections()
    })
    await expect(linkTo(`http://127.0.0.1:${port}`, token).connect()).rejects.toMatchObject({
      code: 'gateway-error',
      message: `127.0.0.1:${port} answered 404, which hoop does not understand`,
    })
  })

  it('when a load balancer finds nobody behind it', async () => {
    const other = createHttpServer((_request, response) => {
      response.statusCode = 503
      response.end('no healthy upstream')
    })
    const port = await listen(other)
    scope.defer(() => {
      other.close()
      other.closeAllConnections()
    })
    await expect(linkTo(`http://127.0.0.1:${port}`, token).connect()).rejects.toMatchObject({
      code: 'gateway-unreachable',
    })
  })
})

describe.skipIf(certificate === undefined)('with TLS', () => {
  const tls = certificate === undefined ? {} : { tls: certificate }

  it.each([
    ['one socket', 'https://localhost'],
    ['an address by number too', 'https://127.0.0.1'],
  ])('takes %s', async (_, base) => {
    const door = await doorWith(tls)
    const link = linkTo(`${base}:${door.port}`, door.token, { ca: certificate?.ca })
    expect(await echoOf('hello', await link.open('pg-prod', await sessionAt(door)))).toBe('hello')
    expect(events).toMatchObject([{ message: expect.stringContaining('over one socket') }])
  })

  it('does not trust a certificate that nobody vouches for', async () => {
    const door = await doorWith(tls)
    await expect(linkTo(`https://localhost:${door.port}`, door.token).connect()).rejects.toMatchObject({
      code: 'gateway-unreachable',
      message: `cannot reach localhost:${door.port} (its certificate is self-signed and not trusted)`,
      hint: 'a certificate authority of your own is named by NODE_EXTRA_CA_CERTS=FILE',
    })
  })

  it('does not trust a certificate for another name', async () => {
    const other = makeCertificate('DNS:other.example')
    if (other === undefined) throw new Error('there was openssl a moment ago')
    scope.defer(() => other.remove())
    const door = await doorWith({ tls: other })
    await expect(
      linkTo(`https://localhost:${door.port}`, door.token, { ca: other.ca }).connect(),
    ).rejects.toMatchObject({ message: `cannot reach localhost:${door.port} (its certificate is for another name)` })
  })

  it('is needed for a port that can be reached from outside', async () => {
    const nobody = { http1: () => {}, http2: () => {} }
    await expect(createPort({ host: '0.0.0.0', port: 0 }, nobody)).rejects.toMatchObject({ code: 'config-invalid' })
    await expect(createPort({ host: '127.0.0.1', port: 0 }, nobody)).resolves.toBeDefined()
  })

  it('goes through an HTTP proxy that can CONNECT', async () => {
    const door = await doorWith(tls)
    const asked: string[] = []
    const proxy = createHttpServer().on('connect', (request, client: Socket) => {
      asked.push(`${request.url} ${request.headers['proxy-authorization']}`)
      const upstream = connect(door.port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n')
        client.pipe(upstream).pipe(client)
      })
      upstream.on('error', () => client.destroy())
      client.on('error', () => upstream.destroy())
    })
    const port = await listen(proxy)
    scope.defer(() => void proxy.close())
    const link = linkTo(`https://localhost:${door.port}`, door.token, {
      ca: certificate?.ca,
      proxy: `http://ana:s%20cret@127.0.0.1:${port}`,
    })
    expect(await echoOf('hello', await link.open('pg-prod', await sessionAt(door)))).toBe('hello')
    expect(asked).toEqual([`localhost:${door.port} Basic ${Buffer.from('ana:s cret').toString('base64')}`])
  })
})

it('a proxy that refuses is named', async () => {
  const proxy = createHttpServer().on('connect', (_request, client: Socket) => {
    client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
  })
  const port = await listen(proxy)
  scope.defer(() => void proxy.close())
  const link = linkTo('https://gateway.acme.dev', async () => 'token', { proxy: `http://127.0.0.1:${port}` })
  await expect(link.connect()).rejects.toMatchObject({
    message: `cannot reach gateway.acme.dev:443 (the proxy 127.0.0.1:${port} answered 407)`,
  })
})

describe('the proxy that the environment names', () => {
  const proxy = 'http://proxy.acme.dev:3128'
  it.each<[string, string, Record<string, string>, string | undefined]>([
    ['HTTPS_PROXY for https', 'https://gw.acme.dev', { HTTPS_PROXY: proxy }, proxy],
    ['https_proxy before HTTPS_PROXY', 'https://gw.acme.dev', { https_proxy: proxy, HTTPS_PROXY: 'http://x' }, proxy],
    ['no scheme means http', 'https://gw.acme.dev', { HTTPS_PROXY: 'proxy.acme.dev:3128' }, proxy],
    ['not for loopback', 'http://127.0.0.1:7117', { http_proxy: proxy, ALL_PROXY: proxy }, undefined],
    ['NO_PROXY by name', 'https://gw.acme.dev', { HTTPS_PROXY: proxy, NO_PROXY: 'x.dev, gw.acme.dev' }, undefined],
    ['NO_PROXY by domain', 'https://gw.acme.dev', { HTTPS_PROXY: proxy, no_proxy: '.acme.dev' }, undefined],
    ['NO_PROXY for all', 'https://gw.acme.dev', { HTTPS_PROXY: proxy, NO_PROXY: '*' }, undefined],
    ['NO_PROXY of another domain', 'https://gw.acme.dev', { HTTPS_PROXY: proxy, NO_PROXY: 'cme.dev' }, proxy],
    ['HTTP_PROXY in capitals is not for http', 'http://gw.acme.dev', { HTTP_PROXY: proxy }, undefined],
  ])('%s', (_, gateway, env, expected) => {
    expect(proxyFor(new URL(gateway), env)).toBe(expected)
  })
})

function rename(door: Door): void {
  for (const [id, session] of door.sessions.all) door.sessions.all.set(id, { ...session, user: 'bob@acme' })
}

function kill(door: Door): void {
  for (const id of door.sessions.all.keys()) door.sessions.killed.add(id)
}
