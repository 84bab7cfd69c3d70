import { once } from 'node:events'
import { createHash, randomBytes } from 'node:crypto'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { onTestFinished, describe, expect, it } from 'vitest'
import { createRecordingCheckpoint } from '../../../support/conversation.ts'
import { pourBytes, startHttpApi } from '../../../support/http-api.ts'
import { memory } from '../contract.ts'
import { decode } from '../../../../src/gateway/protocols/http/bodies.ts'
import { openRawClient, openTestDoor, startRawTarget } from './door.ts'

const post = (fields: string, body = '') => `POST /in HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n${body}`
const json = 'Content-Type: application/json\r\n'
const bytes = 'Content-Type: application/octet-stream\r\n'

async function echoDoor(checkpoint = createRecordingCheckpoint()) {
  const api = await startHttpApi()
  onTestFinished(() => api.close())
  const door = await openTestDoor(api.port, checkpoint)
  return { api, door, client: await openRawClient(door.port) }
}

describe('Expect: 100-continue', () => {
  it('is answered at once where the body has to be known, and not forwarded', async () => {
    const { api, client } = await echoDoor()
    client.say(post(`${json}Content-Length: 2\r\nExpect: 100-continue\r\n`))
    await client.hears('HTTP/1.1 100 Continue\r\n\r\n')
    client.say('{}')
    await client.hears('POST /in {}')
    expect(api.requests[0]?.headers.join()).not.toMatch(/expect/i)
  })

  it('is answered after the permit otherwise', async () => {
    let allow: (() => void) | undefined
    const { client } = await echoDoor(
      createRecordingCheckpoint(async () => {
        await new Promise<void>((resolve) => {
          allow = resolve
        })
        return undefined
      }),
    )
    client.say(post(`${bytes}Content-Length: 2\r\nExpect: 100-continue\r\n`))
    while (allow === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(client.heard()).toBe('')
    allow()
    await client.hears('HTTP/1.1 100 Continue\r\n\r\n')
    client.say('ab')
    await client.hears('POST /in ab')
  })

  it('is never answered where the request is refused: the connection ends instead', async () => {
    const { client } = await echoDoor(
      createRecordingCheckpoint(() => ({ code: 'denied', message: 'no', next: 'stop' })),
    )
    client.say(post(`${bytes}Content-Length: 2\r\nExpect: 100-continue\r\n`))
    const heard = await client.ended
    expect(heard).toMatch(/^HTTP\/1\.1 403 /)
    expect(heard).toContain('Connection: close\r\n')
  })
})

describe('a body that has to be known', () => {
  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['zstd', zstdCompressSync],
  ] as const)('is judged decoded, and forwarded as it came: %s', async (coding, encode) => {
    const target = await startRawTarget((socket) => {
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
    })
    const door = await openTestDoor(target.port)
    const client = await openRawClient(door.port)
    const encoded = encode(Buffer.from('{"role":"admin"}'))
    client.say(post(`${json}Content-Encoding: ${coding}\r\nContent-Length: ${encoded.length}\r\n`))
    client.say(encoded)
    await client.hears('ok')
    expect(door.checkpoint.asked[0]?.text).toContain('{"role":"admin"}')
    expect(target.seen().endsWith(encoded.toString('latin1'))).toBe(true)
  })

  it.each([
    ['something behind its end', 'gzip', Buffer.concat([gzipSync('{}'), Buffer.from('{"a":1}')])],
    ['something behind its end', 'br', Buffer.concat([brotliCompressSync('{}'), Buffer.from('{"a":1}')])],
    ['something behind its end', 'deflate', Buffer.concat([deflateSync('{}'), Buffer.from('{"a":1}')])],
    ['another coding', 'gzip', Buffer.from('{}')],
    ['half of it', 'gzip', gzipSync('{"a":"long enough to be cut"}').subarray(0, 20)],
    ['a coding nobody knows', 'lzma', Buffer.from('{}')],
    ['a name that every object has', 'constructor', Buffer.from('{}')],
    ['much more inside than is judged', 'gzip', gzipSync(Buffer.alloc(3_000_000))],
  ])('is not understood with %s (%s)', async (_name, coding, body) => {
    expect(await decode(body, [['Content-Encoding', coding]], 1_000_000)).toHaveProperty('unread')
  })

  it('is decoded through several codings, the last one first', async () => {
    const body = gzipSync(brotliCompressSync('{}'))
    expect(
      await decode(
        body,
        [
          ['content-encoding', 'br'],
          ['Content-Encoding', 'GZIP'],
        ],
        100,
      ),
    ).toEqual({
      body: Buffer.from('{}'),
    })
  })

  it('longer than what is judged is not understood; with leave it streams all the same, whole', async () => {
    const { api, door, client } = await echoDoor()
    const body = `"${'x'.repeat(3_000_000)}"`
    client.say(post(`${json}Content-Length: ${body.length}\r\n`, body))
    await client.hears('200 OK')
    expect(door.checkpoint.asked[0]?.facts.parsed).toBe(false)
    expect(api.seen[0]?.endsWith(body)).toBe(true)
  })
})

describe('a body that need not be known', () => {
  it('reaches the target while it is still coming, and the answer the client', async () => {
    const target = await startRawTarget((socket) => {
      socket.write('')
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'))
      socket.on('data', (part: Buffer) => {
        if (part.includes('two')) socket.write('3\r\nyes\r\n0\r\n\r\n')
      })
    })
    const door = await openTestDoor(target.port)
    const client = await openRawClient(door.port)
    client.say(post(`${bytes}Transfer-Encoding: chunked\r\n`, '3\r\none\r\n'))
    await client.hears('200 OK')
    client.say('3\r\ntwo\r\n')
    await client.hears('yes')
    client.say('0\r\n\r\n')
    expect(target.seen()).toMatch(/transfer-encoding: chunked/i)
  })

  it('that the client breaks off never gets whole at the target', async () => {
    const { api, door, client } = await echoDoor()
    client.say(post(`${bytes}Content-Length: 10\r\n`, 'abc'))
    while (api.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    client.socket.destroy()
    while (door.checkpoint.outcomes.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(door.checkpoint.outcomes[0]?.outcome.status).toBe('cancelled')
    expect(api.seen).toEqual([])
  })

  it('broken in its middle is told, and never gets whole at the target', async () => {
    const { api, door, client } = await echoDoor()
    client.say(post(`${bytes}Transfer-Encoding: chunked\r\n`, '3\r\nabc\r\n'))
    while (api.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    client.say('zz\r\n')
    expect(await client.ended).toMatch(/^HTTP\/1\.1 400 /)
    expect(door.checkpoint.outcomes[0]?.outcome).toMatchObject({ status: 'cancelled', error: { code: '400' } })
    expect(api.seen).toEqual([])
  })

  it('of a refused request is read where it is short, and ends the connection where it is long', async () => {
    const { client, door } = await echoDoor(
      createRecordingCheckpoint(([command]) =>
        command?.verb === 'POST' ? { code: 'denied', message: 'no', next: 'stop' } : undefined,
      ),
    )
    client.say(post(`${bytes}Content-Length: 5\r\n`, 'helloGET /next HTTP/1.1\r\nHost: localhost\r\n\r\n'))
    await client.hears('GET /next ')
    const other = await openRawClient(door.port)
    other.say(post(`${bytes}Content-Length: 5000000\r\n`, 'hello'))
    await other.hears('Connection: close\r\n')
    // It goes on talking, as clients do that read only behind their body.
    other.say(Buffer.alloc(4_999_995))
    other.socket.end()
    expect(await other.ended).toMatch(/^HTTP\/1\.1 403 /)
  })
})

describe('much', () => {
  it('passes both ways in constant memory', { timeout: 120_000 }, async () => {
    const size = 300_000_000
    const hash = createHash('sha256')
    let arrived = 0
    const api = await startRawTarget((socket) => {
      let isHead = true
      socket.on('data', (part: Buffer) => {
        // The head of the request comes alone: the body follows when the target is connected.
        const body = isHead ? part.subarray(part.indexOf('\r\n\r\n') + 4) : part
        isHead = false
        arrived += body.length
        hash.update(body)
        if (arrived === size) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    const door = await openTestDoor(api.port)
    const client = await openRawClient(door.port)
    const before = memory()
    // With what nobody has collected yet: buffers that are over.
    let most = 0
    const block = randomBytes(1_000_000)
    const sent = createHash('sha256')
    client.say(post(`${bytes}Content-Length: ${size}\r\n`))
    for (let at = 0; at < size; at += block.length) {
      sent.update(block)
      if (!client.socket.write(block)) await once(client.socket, 'drain')
      most = Math.max(most, memory() - before)
    }
    await client.hears('ok')
    expect(hash.digest('hex')).toBe(sent.digest('hex'))
    expect(most).toBeLessThan(size / 3)
    expect(door.checkpoint.outcomes[0]?.outcome).toMatchObject({ bytesIn: size })
  })

  it('comes down in constant memory, also to a client that reads slowly', { timeout: 120_000 }, async () => {
    const size = 300_000_000
    const api = await startHttpApi((_request, response) => pourBytes(response, size))
    onTestFinished(() => api.close())
    const door = await openTestDoor(api.port)
    const client = await openRawClient(door.port)
    client.socket.removeAllListeners('data')
    client.socket.pause()
    const before = memory()
    let most = 0
    let heard = 0
    client.say('GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    for await (const part of client.socket) {
      const { length }: Buffer = part
      heard += length
      if (heard % 97 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      most = Math.max(most, memory() - before)
    }
    expect(heard).toBeGreaterThan(size)
    expect(most).toBeLessThan(size / 3)
    expect(door.checkpoint.outcomes[0]?.outcome).toMatchObject({ status: 'done', bytesOut: size })
  })
})
