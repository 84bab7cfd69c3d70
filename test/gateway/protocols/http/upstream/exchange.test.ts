/** One request and its answer at a real server: what goes out, what comes back, and what happens when something breaks. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import type { Target } from '../../../../../src/gateway/protocols/protocol.ts'
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

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function serve(handler: Handler): Promise<{ server: Server; port: number }> {
  const server = createServer(handler)
  const port = await listen(server)
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, port }
}

/** A server that is written by hand, to do what no good one does. */
async function serveBytes(onSocket: (socket: Socket, count: number) => void): Promise<number> {
  let count = 0
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined)
    onSocket(socket, ++count)
  })
  cleanups.push(() => server.close())
  return await listen(server)
}

function open(port: number, given: Partial<Target> = {}, ends: Ends = {}) {
  const upstream = createWorld().open(targetAt(port, given), ends)
  cleanups.push(() => upstream.close())
  return upstream
}

/** undici uses a connection again a turn of the event loop later, when it has seen that it stays open. */
async function kept(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

describe('a request', () => {
  it('goes out with its method, path, query and fields to the letter, and with the Host of the target', async () => {
    const seen: unknown[] = []
    const { port } = await serve((request, response) => {
      seen.push(request.method, request.url, request.rawHeaders)
      response.end()
    })
    const heard = await ask(open(port), {
      method: 'DELETE',
      target: '/a//b/%2e%2E/c;d?q=%20+&q=2',
      fields: [
        ['X-One', 'caf\u00e9'],
        ['x-one', '2'],
      ],
    })
    expect(heard.head?.status).toBe(200)
    expect(seen).toEqual([
      'DELETE',
      '/a//b/%2e%2E/c;d?q=%20+&q=2',
      ['host', `127.0.0.1:${port}`, 'connection', 'keep-alive', 'X-One', 'caf\u00e9', 'x-one', '2'],
    ])
  })

  it.each([
    ['whole', Buffer.from('{"a":1}'), '7', undefined],
    ['in parts of a known length', undefined, '6', undefined],
    ['in parts', undefined, undefined, 'chunked'],
  ])('has its body %s', async (kind, whole, length, coding) => {
    const { port } = await serve((request, response) => {
      void textOf(request).then((text) => {
        const { 'content-length': length, 'transfer-encoding': coding } = request.headers
        response.end(JSON.stringify({ text, length, coding }))
      })
    })
    async function* parts() {
      yield Buffer.from('abc')
      yield Buffer.from('def')
    }
    const heard = await ask(open(port), {
      method: 'POST',
      content: whole ?? parts(),
      ...(kind === 'in parts of a known length' ? { body: { bytes: 6 } } : {}),
    })
    expect(JSON.parse(heard.text)).toEqual({
      text: whole?.toString() ?? 'abcdef',
      ...(length === undefined ? {} : { length }),
      ...(coding === undefined ? {} : { coding }),
    })
  })

  it('asks for the next part of a body only when the target has taken the last', async () => {
    const { port } = await serve(() => undefined)
    let given = 0
    async function* endless() {
      for (;;) {
        given++
        yield Buffer.alloc(1024 * 1024)
      }
    }
    const heard = send(open(port), { method: 'POST', content: endless() })
    // A server that reads nothing: what the kernel's buffers take, and no more.
    let before = -1
    while (given !== before) {
      before = given
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    expect(given).toBeLessThan(32)
    heard.flight.abort()
  })

  it('does not wait for the rest of a body when the target has answered', async () => {
    const { port } = await serve((_request, response) => {
      response.writeHead(413).end('too large')
    })
    let ended = false
    async function* stuck() {
      yield Buffer.from('a')
      try {
        await new Promise((resolve) => cleanups.push(() => resolve(undefined)))
      } finally {
        ended = true
      }
    }
    const heard = await ask(open(port), { method: 'POST', content: stuck() })
    expect([heard.head?.status, heard.text, ended]).toEqual([413, 'too large', false])
  })

  it('uses a kept connection again, after HEAD as well', async () => {
    const sockets = new Set<Socket>()
    const { port } = await serve((request, response) => {
      sockets.add(request.socket)
      response.writeHead(200, { 'Content-Length': 5 }).end('hello')
    })
    const upstream = open(port)
    const methods = ['GET', 'HEAD', 'GET', 'POST', 'GET']
    for (const method of methods) {
      const heard = await ask(upstream, { method })
      expect([heard.head?.status, field(heard, 'content-length')]).toEqual([200, '5'])
      expect(heard.text).toBe(method === 'HEAD' ? '' : 'hello')
      await kept()
    }
    expect(sockets.size).toBe(1)
  })
})

describe('an answer', () => {
  it('comes with its fields but for those of one connection', async () => {
    const { port } = await serve((_request, response) => {
      response.writeHead(207, 'Multi', [
        ['Connection', 'X-Hop'],
        ['X-Hop', '1'],
        ['Keep-Alive', 'timeout=5'],
        ['Proxy-Authenticate', 'Basic'],
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['X-Latin', 'caf\u00e9'],
      ])
      response.end('x')
    })
    const { head } = await ask(open(port))
    expect(head).toEqual({
      status: 207,
      phrase: 'Multi',
      fields: [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['X-Latin', 'caf\u00e9'],
        ['Date', expect.any(String)],
      ],
    })
  })

  it('comes with what comes before it and behind it', async () => {
    const { port } = await serve((_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' })
      response.writeHead(200, { Trailer: 'X-Sum' })
      response.write('body')
      response.addTrailers({ 'X-Sum': '42' })
      response.end()
    })
    const heard = await ask(open(port))
    expect(heard.interim.map(({ status, fields }) => [status, fields])).toEqual([
      [103, [['Link', '</style.css>; rel=preload']]],
    ])
    expect([heard.text, heard.trailers]).toEqual(['body', [['X-Sum', '42']]])
  })

  it('that sends the client to the target itself sends it through the door', async () => {
    const { port } = await serve((request, response) => {
      response.writeHead(302, { Location: `http://${request.headers.host}/next` }).end()
    })
    expect(field(await ask(open(port), { host: 'localhost:99' }), 'location')).toBe('http://localhost:99/next')
  })

  it('waits where the listener says so', async () => {
    const { port } = await serve((_request, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(64 * 1024)));
        response.once('drain', more)
      }
      more()
    })
    const heard = send(open(port))
    heard.takes = false
    await heard.headed
    await new Promise((resolve) => setTimeout(resolve, 200))
    const before = heard.parts.length
    expect(before).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(heard.parts.length).toBe(before)
    heard.flight.resume()
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(heard.parts.length).toBe(2)
    heard.flight.abort()
  })

  it('ends when it is given up, at the target too, and nothing more is heard', async () => {
    const closed = Promise.withResolvers<void>()
    const { port } = await serve((_request, response) => {
      response.on('close', () => closed.resolve())
      response.write('one')
    })
    const upstream = open(port)
    const heard = send(upstream)
    await heard.headed
    heard.flight.abort()
    await closed.promise
    expect([heard.failure, heard.trailers]).toEqual([undefined, undefined])
  })
})

describe('two connections of clients', () => {
  it('share the kept connections, and the end of one ends nothing of the other', async () => {
    const sockets = new Set<Socket>()
    const release: (() => void)[] = []
    const { port } = await serve((request, response) => {
      sockets.add(request.socket)
      if (request.url === '/slow') release.push(() => response.end('done'))
      else response.end()
    })
    const world = createWorld()
    const [one, two] = [world.open(targetAt(port)), world.open(targetAt(port))]
    cleanups.push(() => two.close())
    await ask(one)
    await kept()
    await ask(two)
    await kept()
    expect(sockets.size).toBe(1)
    const slow = send(two, { target: '/slow' })
    const killed = send(one, { target: '/slow' })
    while (release.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
    one.close()
    for (const go of release) go()
    await slow.over
    expect([slow.head?.status, Buffer.concat(slow.parts).toString()]).toEqual([200, 'done'])
    expect([killed.head, killed.failure]).toEqual([undefined, undefined])
  })
})

describe('an upgrade', () => {
  it('gives both ends over, with what came behind the head', async () => {
    const { server, port } = await serve((_request, response) => response.end())
    server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
      const { upgrade, connection } = request.headers
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\nX-Connection: ${connection}\r\n\r\nfirst`,
      )
      socket.pipe(socket)
    })
    const heard = await ask(open(port), { upgrade: 'websocket', fields: [['Sec-WebSocket-Version', '13']] })
    expect(heard.head).toMatchObject({
      status: 101,
      fields: [
        ['Upgrade', 'websocket'],
        ['X-Connection', 'upgrade'],
      ],
    })
    const { socket } = heard
    if (socket === undefined) throw new Error('no socket')
    let text = ''
    socket.on('data', (chunk) => {
      text += String(chunk)
    })
    socket.write(' echo')
    while (text !== 'first echo') await once(socket, 'data')
    socket.destroy()
  })

  it('that the target does not want is answered as it answers', async () => {
    const { port } = await serve((_request, response) => response.writeHead(426).end('no'))
    const heard = await ask(open(port), { upgrade: 'spdy/3.1', method: 'POST' })
    expect([heard.head?.status, heard.text, heard.socket]).toEqual([426, 'no', undefined])
  })
})

describe('a target', () => {
  it('that does not listen is a failure, and the next request is tried anew', async () => {
    const { server, port } = await serve((_request, response) => response.end('back'))
    await new Promise((resolve) => server.close(resolve))
    const upstream = open(port)
    const heard = await ask(upstream)
    expect(heard.failure).toMatchObject({ code: 'target-unreachable', unsent: true })
    expect(heard.failure?.message).toMatch(/^cannot reach target "api-test" \(/)
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    expect((await ask(upstream)).text).toBe('back')
  })

  it('that takes no connection in time is late', async () => {
    // TLS is never answered: loopback has no other way to leave a connection half open.
    const port = await serveBytes(() => undefined)
    const upstream = createWorld(300).open(targetAt(port, { tls: { mode: 'verify-full' } }))
    cleanups.push(() => upstream.close())
    expect((await ask(upstream)).failure).toMatchObject({ code: 'target-unreachable', unsent: true, timedOut: true })
  })

  it.each([
    ['before it answers', '', 'target "api-test" ended the connection before it answered', 'target-unreachable'],
    [
      'in the middle',
      'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc',
      'target "api-test" ended the connection in the middle of its answer',
      'target-unreachable',
    ],
    ['with what is not HTTP', 'hello\r\n\r\n', /^target "api-test" does not speak HTTP as it should/, 'target-refused'],
  ])('that ends %s is a failure', async (_when, bytes, message, code) => {
    const port = await serveBytes((socket) => socket.once('data', () => socket.end(bytes)))
    const { failure } = await ask(open(port), { method: 'POST' })
    expect(failure?.code).toBe(code)
    expect(failure?.message).toMatch(message)
  })

  it.each([
    ['GET', 2],
    ['DELETE', 2],
    ['POST', 1],
    ['PATCH', 1],
  ])('that closes a kept connection while %s comes is asked %i times', async (method, times) => {
    let asked = 0
    const port = await serveBytes((socket, count) => {
      let requests = 0
      socket.on('data', () => {
        requests++
        if (count === 1 && requests === 1) {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
          return
        }
        asked++
        if (count === 1) socket.destroy()
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      })
    })
    const upstream = open(port)
    await ask(upstream)
    await kept()
    const heard = await ask(upstream, { method })
    expect(asked).toBe(times)
    if (times === 2) expect(heard.head?.status).toBe(200)
    else expect(heard.failure?.code).toBe('target-unreachable')
  })

  it('that always closes is asked twice, not for ever', async () => {
    let asked = 0
    const port = await serveBytes((socket) =>
      socket.once('data', () => {
        asked++
        socket.destroy()
      }),
    )
    expect((await ask(open(port))).failure?.code).toBe('target-unreachable')
    expect(asked).toBe(2)
  })

  it('does not get a request with a body twice', async () => {
    let asked = 0
    const port = await serveBytes((socket) =>
      socket.once('data', () => {
        asked++
        socket.destroy()
      }),
    )
    const heard = await ask(open(port), { method: 'PUT', content: Buffer.from('x') })
    expect([heard.failure?.code, asked]).toEqual(['target-unreachable', 1])
  })
})

describe('the credential', () => {
  it('does not come back in an answer, its fields or its trailers', async () => {
    const secret = 'tok_0123456789'
    const { port } = await serve((request, response) => {
      const said = request.headers.authorization ?? ''
      response.writeHead(200, { 'X-Echo': said, Location: `/?t=${said.slice(7)}`, Trailer: 'X-Last' })
      response.write(`{"accept":"${request.headers['accept-encoding']}","authorization":"${said.slice(0, 12)}`)
      setTimeout(() => {
        response.write(`${said.slice(12)}"}`)
        response.addTrailers({ 'X-Last': said })
        response.end()
      }, 20)
    })
    const heard = await ask(open(port, httpLogin('bearer'), { secret }), { fields: [['Accept-Encoding', 'gzip, br']] })
    const stars = '*'.repeat(secret.length)
    expect(field(heard, 'x-echo')).toBe(`Bearer ${stars}`)
    expect(field(heard, 'location')).toBe(`/?t=${stars}`)
    expect(heard.text).toBe(`{"accept":"identity","authorization":"Bearer ${stars}"}`)
    expect(heard.trailers).toEqual([['X-Last', `Bearer ${stars}`]])
  })
})
