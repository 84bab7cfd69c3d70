import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openRawClient, openTestDoor, startRawTarget } from './door.ts'

const get = (path: string, more = '', version = '1.1') =>
  `GET ${path} HTTP/${version}\r\nHost: localhost\r\n${more}\r\n`

/** A target that answers each request with exactly these bytes. */
const answering = (...answers: string[]) =>
  startRawTarget((socket) => {
    socket.on('data', () => {
      for (const answer of answers) socket.write(Buffer.from(answer, 'latin1'))
    })
  })

async function heardFor(answer: string, request: string, end: string | RegExp): Promise<string> {
  const target = await answering(answer)
  const door = await openTestDoor(target.port)
  const client = await openRawClient(door.port)
  client.say(request)
  return await client.hears(end)
}

describe('an answer', () => {
  it('keeps its length, its phrase and its fields, without those of the connection', async () => {
    const heard = await heardFor(
      'HTTP/1.1 200 Fine Indeed\r\nX-A: 1\r\nx-a: \xe4\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 5\r\n\r\nhello',
      get('/'),
      'hello',
    )
    expect(heard).toBe('HTTP/1.1 200 Fine Indeed\r\nX-A: 1\r\nx-a: \xe4\r\nContent-Length: 5\r\n\r\nhello')
  })

  it('without a length goes chunked to HTTP/1.1, and up to the end of the connection to HTTP/1.0', async () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
    const modern = await heardFor(chunked, get('/'), '0\r\n\r\n')
    expect(modern).toBe('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n')
    const target = await answering(chunked)
    const door = await openTestDoor(target.port)
    const old = await openRawClient(door.port)
    old.say(get('/', 'Connection: keep-alive\r\n', '1.0'))
    expect(await old.ended).toBe('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello')
  })

  it('keeps an HTTP/1.0 connection where it was asked to and can', async () => {
    const target = await answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    const door = await openTestDoor(target.port)
    const client = await openRawClient(door.port)
    client.say(get('/', 'Connection: keep-alive\r\n', '1.0'))
    expect(await client.hears('ok')).toContain('Connection: keep-alive\r\n')
    client.say(get('/', '', '1.0'))
    expect((await client.ended).match(/HTTP\/1\.1 200/g)).toHaveLength(2)
  })

  it.each([
    ['HEAD', 'HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
    ['204', get('/'), 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['304', get('/'), 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "a"\r\n\r\n'],
  ])('to %s has no body, whatever its fields say, and the connection goes on', async (_name, request, answer) => {
    const target = await answering(answer)
    const door = await openTestDoor(target.port)
    const client = await openRawClient(door.port)
    client.say(request)
    expect(await client.hears('\r\n\r\n')).toBe(answer)
    client.say(request)
    while (client.heard() !== answer + answer) await once(client.socket, 'data')
  })

  it('passes early hints on, and nothing of them to HTTP/1.0', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n'
    const last = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
    expect(await heardFor(hints + last, get('/'), 'ok')).toBe(hints + last)
    expect(await heardFor(hints + last, get('/', '', '1.0'), 'ok')).toMatch(/^HTTP\/1\.1 200 OK/)
  })

  it('has trailers for a client that takes them', async () => {
    const answer =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\nSet-Cookie: a=b\r\n\r\n'
    expect(await heardFor(answer, get('/', 'TE: trailers\r\n'), 'X-Sum')).toMatch(/\r\n0\r\nX-Sum: 7\r\n\r\n$/)
    expect(await heardFor(answer, get('/'), '0\r\n\r\n')).not.toContain('X-Sum')
  })

  it('is shown as it comes, event by event', async () => {
    let tell: ((text: string) => void) | undefined
    const target = await startRawTarget((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'),
      )
      tell = (text) => void socket.write(`${text.length.toString(16)}\r\n${text}\r\n`)
    })
    const door = await openTestDoor(target.port)
    const client = await openRawClient(door.port)
    client.say(get('/events'))
    await client.hears('text/event-stream')
    for (const n of [1, 2, 3]) {
      tell?.(`data: ${n}\n\n`)
      // The next one is only said when this one has arrived.
      await client.hears(`data: ${n}\n\n`)
    }
  })

  it('that breaks off is cut off, so that nobody takes it for whole', async () => {
    const target = await startRawTarget((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
        setTimeout(() => socket.destroy(), 50)
      })
    })
    const door = await openTestDoor(target.port)
    const client = await openRawClient(door.port)
    client.say(get('/'))
    expect(await client.ended).toMatch(/hello\r\n$/)
    expect(door.checkpoint.outcomes[0]?.outcome).toMatchObject({
      status: 'failed',
      error: { code: 'target-unreachable' },
    })
  })

  it.each([
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    ],
  ])('that is %s is told as a bad gateway, and the connection goes on', async (_name, answer) => {
    let good = false
    const target = await startRawTarget((socket) => {
      socket.on('data', () => socket.write(good ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' : answer))
    })
    const door = await openTestDoor(target.port)
    const client = await openRawClient(door.port)
    client.say(get('/'))
    expect(await client.hears('}')).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n[\s\S]*"verdict":"target-/)
    good = true
    client.say(get('/'))
    await client.hears(/200 OK[\s\S]*ok$/)
  })

  it('of the target that does not come in time is 504', async () => {
    const target = await startRawTarget(() => undefined)
    const door = await openTestDoor(target.port, undefined, { parts: { answerTimeoutMs: 200 } })
    const client = await openRawClient(door.port)
    client.say(get('/'))
    expect(await client.hears('}')).toMatch(/^HTTP\/1\.1 504 /)
    expect(door.checkpoint.outcomes.map(({ outcome }) => outcome.status)).toEqual(['unknown'])
  })

  it('settles what it was: status, bytes, error', async () => {
    const target = await startRawTarget((socket: Socket) => {
      socket.on('data', (bytes: Buffer) => {
        const isGood = bytes.toString().startsWith('POST /good')
        socket.write(`HTTP/1.1 ${isGood ? '200 OK' : '404 Not Found'}\r\nContent-Length: 5\r\n\r\nhello`)
      })
    })
    const door = await openTestDoor(target.port)
    const client = await openRawClient(door.port)
    for (const path of ['/good', '/bad']) {
      const heard = client.heard().length
      client.say(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 3\r\n\r\nabc`)
      while (!client.heard().slice(heard).includes('hello')) await once(client.socket, 'data')
    }
    expect(door.checkpoint.outcomes.map(({ outcome }) => outcome)).toMatchObject([
      { status: 'done', summary: '200 OK', bytesIn: 3, bytesOut: 5 },
      {
        status: 'failed',
        summary: '404 Not Found',
        error: { code: '404', message: 'Not Found' },
        bytesIn: 3,
        bytesOut: 5,
      },
    ])
  })
})
