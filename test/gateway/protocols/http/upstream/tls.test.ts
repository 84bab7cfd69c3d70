/** Targets over TLS: whom they have to be, who the gateway is to them, and HTTP/2 where both can. */
import { readFileSync } from 'node:fs'
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2'
import { createServer, type ServerOptions } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { Target, TlsSettings } from '../../../../../src/gateway/protocols/protocol.ts'
import { makeCertificate } from '../../../../support/certificate.ts'
import {
  ask,
  createWorld,
  type Ends,
  field,
  httpLogin,
  listen,
  send,
  targetAt,
} from '../../../../support/http-listener.ts'

const certificates = [makeCertificate('IP:127.0.0.1'), makeCertificate('DNS:api.internal'), makeCertificate()]
afterAll(() => {
  for (const certificate of certificates) certificate?.remove()
})
const [byAddress, byName, other] = certificates
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const read = (certificate: { cert: string; key: string } | undefined) => ({
  cert: readFileSync(certificate?.cert ?? '', 'utf8'),
  key: readFileSync(certificate?.key ?? '', 'utf8'),
})

function open(port: number, tls: TlsSettings, given: Partial<Target> = {}, ends: Ends = {}) {
  const upstream = createWorld().open(targetAt(port, { tls, ...given }), ends)
  cleanups.push(() => upstream.close())
  return upstream
}

describe.skipIf(other === undefined)('a target over TLS', () => {
  async function serve(certificate: typeof byAddress, options: ServerOptions = {}): Promise<number> {
    const server = createServer({ ...read(certificate), ...options }, ({ socket }, response) => {
      // https gives what it has made.
      const { servername, getPeerCertificate } = socket as TLSSocket
      const client = getPeerCertificate.call(socket)
      response.end(JSON.stringify({ name: servername || null, client: client?.subject?.CN ?? null }))
    })
    server.on('tlsClientError', () => undefined)
    cleanups.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return await listen(server)
  }

  it('is whom its certificate names, by address and by name', async () => {
    const one = await ask(open(await serve(byAddress), { mode: 'verify-full', ca: byAddress?.ca ?? '' }))
    expect(JSON.parse(one.text)).toEqual({ name: null, client: null })
    const tls = { mode: 'verify-full', ca: byName?.ca ?? '', serverName: 'api.internal' } as const
    expect(JSON.parse((await ask(open(await serve(byName), tls))).text)).toEqual({ name: 'api.internal', client: null })
  })

  it.each([
    ['that nobody vouches for', () => ({ mode: 'verify-full' }) as const, byAddress],
    ['that another one vouches for', () => ({ mode: 'verify-full', ca: other?.ca ?? '' }) as const, byAddress],
    ['with another name', () => ({ mode: 'verify-full', ca: byName?.ca ?? '' }) as const, byName],
    [
      'with another name than asked for',
      () => ({ mode: 'verify-full', ca: byName?.ca ?? '', serverName: 'other.internal' }) as const,
      byName,
    ],
  ])('is not one %s', async (_which, tls, certificate) => {
    const { failure } = await ask(open(await serve(certificate), tls()))
    expect(failure).toMatchObject({ code: 'target-refused', unsent: true })
    expect(failure?.message).toMatch(/^no TLS with target "api-test" that can be trusted \(/)
  })

  it('is not looked at where the settings say so', async () => {
    expect((await ask(open(await serve(other), { mode: 'require' }))).head?.status).toBe(200)
  })

  it('that speaks no TLS is not spoken to without', async () => {
    let heard = ''
    const plain = createServer()
    plain.removeAllListeners('connection')
    plain.on('connection', (socket: Socket) => {
      socket.on('data', (chunk) => {
        heard += chunk.toString('latin1')
        socket.end('HTTP/1.1 200 OK\r\n\r\n')
      })
      socket.on('error', () => undefined)
    })
    cleanups.push(() => plain.close())
    const { failure } = await ask(open(await listen(plain), { mode: 'require' }))
    expect([failure?.code, heard.includes('HTTP/1.1')]).toEqual(['target-refused', false])
  })

  it('is shown the client certificate, and whoever has another one has other connections', async () => {
    const port = await serve(byAddress, {
      requestCert: true,
      rejectUnauthorized: false,
      ca: [other?.ca ?? '', byName?.ca ?? ''],
    })
    const tls = { mode: 'verify-full', ca: byAddress?.ca ?? '' } as const
    const world = createWorld()
    const subjects: unknown[] = []
    for (const certificate of [other, undefined]) {
      const { cert, key } = certificate === undefined ? { cert: '', key: '' } : read(certificate)
      const upstream = world.open(
        targetAt(port, { tls, ...httpLogin(certificate === undefined ? 'none' : 'certificate') }),
        certificate === undefined ? {} : { secret: `${key}\n${cert}` },
      )
      cleanups.push(() => upstream.close())
      subjects.push(JSON.parse((await ask(upstream)).text).client)
    }
    expect(subjects).toEqual(['hoop test', null])
  })
})

describe.skipIf(byAddress === undefined)('a target that speaks HTTP/2', () => {
  interface Served {
    readonly port: number
    readonly sessions: Set<unknown>
    readonly server: Http2SecureServer
  }

  async function serve(
    onStream: (stream: ServerHttp2Stream, path: string) => void,
    allowHTTP1 = false,
  ): Promise<Served> {
    const server = createSecureServer({ ...read(byAddress), allowHTTP1 })
    const sessions = new Set<{ destroy(): void }>()
    server.on('session', (session) => sessions.add(session))
    server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined)
      onStream(stream, String(headers[':path']))
    })
    const port = await listen(server)
    cleanups.push(() => {
      for (const session of sessions) session.destroy()
      server.close()
    })
    return { port, sessions, server }
  }
  const tls = { mode: 'verify-full', ca: byAddress?.ca ?? '' } as const

  it('carries many requests at a time over one connection', async () => {
    const { port, sessions } = await serve((stream, path) => {
      stream.respond({ ':status': 200, 'set-cookie': ['a=1', 'b=2'], 'x-path': path })
      setTimeout(() => stream.end(path.repeat(1000)), 5)
    })
    const upstream = open(port, tls)
    const heard = await Promise.all(Array.from({ length: 200 }, (_, at) => ask(upstream, { target: `/${at}` })))
    for (const [at, { head, text }] of heard.entries()) {
      expect(head).toMatchObject({ status: 200, fields: expect.arrayContaining([['x-path', `/${at}`]]) })
      expect(text).toBe(`/${at}`.repeat(1000))
    }
    expect(heard[0]?.head?.fields.filter(([name]) => name === 'set-cookie')).toEqual([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ])
    expect(heard[0]?.head?.fields.some(([name]) => name.startsWith(':'))).toBe(false)
    expect(sessions.size).toBeLessThanOrEqual(3)
  })

  it('gets fields, bodies in parts, and answers HEAD, interim heads and trailers', async () => {
    const { port } = await serve((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a>; rel=preload' })
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        const { cookie, 'x-two': two } = stream.sentHeaders ?? {}
        stream.respond({ ':status': 200, 'x-cookie': String(cookie), 'x-two': String(two) }, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42' }))
        stream.end(Buffer.concat(parts))
      })
    })
    async function* parts() {
      yield Buffer.alloc(100_000, 'a')
      yield Buffer.alloc(100_000, 'b')
    }
    const upstream = open(port, tls)
    const heard = await ask(upstream, { method: 'PUT', content: parts() })
    expect([heard.text.length, heard.trailers]).toEqual([200_000, [['x-sum', '42']]])
    expect(heard.interim.map(({ status }) => status)).toEqual([103])
    const head = await ask(upstream, { method: 'HEAD' })
    expect([head.head?.status, head.text]).toEqual([200, ''])
  })

  it('waits where the listener says so, and one that is given up ends nothing of the others', async () => {
    const closed = Promise.withResolvers<void>()
    const { port } = await serve((stream, path) => {
      stream.respond({ ':status': 200 })
      if (path === '/quick') {
        stream.end('done')
        return
      }
      stream.on('aborted', () => closed.resolve())
      const more = () => {
        while (!stream.destroyed && stream.write(Buffer.alloc(16 * 1024)));
        stream.once('drain', more)
      }
      more()
    })
    const upstream = open(port, tls)
    const slow = send(upstream, { target: '/slow' })
    slow.takes = false
    await slow.headed
    expect((await ask(upstream, { target: '/quick' })).text).toBe('done')
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(slow.parts.length).toBeLessThanOrEqual(1)
    slow.flight.abort()
    await closed.promise
    expect((await ask(upstream, { target: '/quick' })).text).toBe('done')
    expect(slow.failure).toBeUndefined()
  })

  it('does not get the credential repeated to the client', async () => {
    const secret = 'tok_0123456789'
    const { port } = await serve((stream) => {
      stream.respond({ ':status': 200, 'x-echo': secret })
      stream.end(secret)
    })
    const heard = await ask(open(port, tls, httpLogin('bearer'), { secret }))
    expect([field(heard, 'x-echo'), heard.text]).toEqual(['*'.repeat(14), '*'.repeat(14)])
  })

  it('that goes away is a failure, and another connection is made next time', async () => {
    const { port, sessions } = await serve((stream, path) => {
      if (path === '/die') stream.session?.destroy()
      else {
        stream.respond({ ':status': 200 })
        stream.end('alive')
      }
    })
    const upstream = open(port, tls)
    expect((await ask(upstream)).text).toBe('alive')
    expect((await ask(upstream, { target: '/die', method: 'POST' })).failure?.code).toBe('target-unreachable')
    expect((await ask(upstream)).text).toBe('alive')
    expect(sessions.size).toBe(2)
  })

  it('upgrades over HTTP/1.1', async () => {
    const { server, port } = await serve((stream) => {
      stream.respond({ ':status': 200 })
      stream.end('two')
    }, true)
    server.on('upgrade', (request, socket: Duplex) => {
      socket.end(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n${request.httpVersion}`)
    })
    const upstream = open(port, tls)
    expect((await ask(upstream)).text).toBe('two')
    const heard = await ask(upstream, { upgrade: 'x' })
    let text = ''
    for await (const chunk of heard.socket ?? []) text += String(chunk)
    expect([heard.head?.status, text]).toEqual([101, '1.1'])
  })
})
