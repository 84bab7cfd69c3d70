/** WebSockets through the whole protocol: a client of Node's own, a server of the package ws. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type WebSocket as ServerSocket, WebSocketServer } from 'ws'
import type { Masks } from '../../../../src/gateway/checkpoint.ts'
import { createRecordingCheckpoint, openDoor } from '../../../support/conversation.ts'
import { credentialOf } from '../../../support/credentials.ts'
import { createMemoryRecordings } from '../../../support/recordings.ts'
import { createTestHttp, listening, openRawClient, targetAt } from './door.ts'
import { both, emails, noMasks, passwords } from './masking/masks.ts'

const refusal = { code: 'killed', message: 'killed by ana', next: 'ask ana' } as const

/** A server that says what it is told to say, and a door before it. */
async function openWorld(
  say: (socket: ServerSocket, heard: string) => void,
  masks: Masks = noMasks,
  recordMasks = masks,
) {
  const server = createServer()
  const sockets = new WebSocketServer({ server, perMessageDeflate: true })
  sockets.on('connection', (socket, request) => {
    socket.on('error', () => undefined)
    socket.on('message', (data) => say(socket, String(data)))
    say(socket, `begin ${String(request.headers['sec-websocket-extensions'])}`)
  })
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
  })
  const checkpoint = createRecordingCheckpoint(undefined, undefined, { masks, recordMasks, sampleBytes: 1000 })
  const recordings = createMemoryRecordings()
  const door = await openDoor({
    protocol: createTestHttp(),
    target: targetAt(await listening(server)),
    credential: credentialOf(undefined),
    checkpoint,
    recordings,
  })
  onTestFinished(() => door.close())
  return { door, checkpoint, recordings, sockets }
}

/** Messages one after another, and the end. */
async function openClient(port: number) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/live?x=1`)
  socket.binaryType = 'arraybuffer'
  const heard: (string | Buffer)[] = []
  const more = new EventTarget()
  let ended: { code: number; reason: string } | undefined
  socket.onmessage = ({ data }) => {
    heard.push(typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer))
    more.dispatchEvent(new Event('more'))
  }
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.onclose = ({ code, reason }) => {
      ended = { code, reason }
      more.dispatchEvent(new Event('more'))
      resolve(ended)
    }
  })
  onTestFinished(() => socket.close())
  return {
    socket,
    closed,
    async next(): Promise<string | Buffer> {
      while (heard.length === 0) {
        if (ended !== undefined) throw new Error(`it was closed: ${ended.code} ${ended.reason}`)
        await once(more, 'more')
      }
      return heard.shift() ?? ''
    },
  }
}

async function settled(checkpoint: ReturnType<typeof createRecordingCheckpoint>) {
  while (checkpoint.outcomes.length === 0) await new Promise((resume) => setTimeout(resume, 5))
  return checkpoint.outcomes[0]?.outcome
}

const nothing = () => undefined

describe('where nothing is masked', () => {
  test('messages pass both ways, without an extension, and are recorded', async () => {
    const { door, checkpoint, recordings } = await openWorld((socket, heard) => socket.send(`you said ${heard}`))
    const client = await openClient(door.port)
    expect(await client.next()).toBe('you said begin undefined')
    client.socket.send('hello')
    expect(await client.next()).toBe('you said hello')
    client.socket.send(Buffer.from([0, 1, 2]))
    await client.next()
    client.socket.close(1000, 'enough')
    expect(await client.closed).toEqual({ code: 1000, reason: 'enough' })
    expect(await settled(checkpoint)).toMatchObject({
      status: 'done',
      summary: '101 Switching Protocols',
      recording: { sha256: expect.any(String) },
    })
    expect(recordings.kept[0]).toMatchObject({
      head: { title: 'websocket /live' },
      events: [
        'o you said begin undefined\r\n',
        'i hello\r\n',
        'o you said hello\r\n',
        'm a message of 3 bytes was sent',
        'o you said \u0000\u0001\u0002\r\n',
        'x ',
      ],
    })
  })

  test('megabytes pass, and are counted', async () => {
    const big = Buffer.alloc(5 * 1024 * 1024, 'x')
    const { door, recordings } = await openWorld((socket, heard) => heard !== 'go' || socket.send(big))
    const client = await openClient(door.port)
    await once(client.socket, 'open').catch(nothing)
    client.socket.send('go')
    expect((await client.next()).length).toBe(big.length)
    expect(recordings.kept[0]?.events).toContain(`m a message of ${big.length} bytes was shown`)
  })

  test('a recording hides what records hide', async () => {
    const { door, recordings } = await openWorld(
      (socket) => socket.send('{"token":"t","to":"ana@acme.com"}'),
      noMasks,
      both,
    )
    const client = await openClient(door.port)
    expect(await client.next()).toBe('{"token":"t","to":"ana@acme.com"}')
    client.socket.send('mail ana@acme.com')
    await client.next()
    expect(recordings.kept[0]?.events.slice(0, 2)).toEqual(['o {"token":"•••","to":"•••"}\r\n', 'i mail •••\r\n'])
  })
})

describe('where something is masked', () => {
  test('each message is masked, as text or JSON', async () => {
    const { door, checkpoint } = await openWorld((socket, heard) => {
      if (heard.startsWith('begin')) return
      socket.send('{"password":"x","to":"ana@acme.com"}')
      socket.send('to ana@acme.com')
      socket.send('password=x')
      socket.send(Buffer.from('["ana@acme.com"]'))
      socket.send('ok')
      socket.close(1000, 'bye ana@acme.com')
    }, both)
    const client = await openClient(door.port)
    await once(client.socket, 'open').catch(nothing)
    client.socket.send('go')
    expect(await client.next()).toBe('{"password":"•••","to":"•••"}')
    expect(await client.next()).toBe('to •••')
    expect(await client.next()).toBe('•••')
    expect(String(await client.next())).toBe('["•••"]')
    expect(await client.next()).toBe('ok')
    expect(await client.closed).toEqual({ code: 1000, reason: 'bye •••' })
    expect(await settled(checkpoint)).toMatchObject({ status: 'done', masked: true })
  })

  test('a message in fragments is masked as one', async () => {
    const { door } = await openWorld((socket) => {
      socket.send('to ana@', { fin: false })
      socket.send('acme.com')
    }, emails)
    expect(await (await openClient(door.port)).next()).toBe('to •••')
  })

  test.each([
    ['is no text', Buffer.from([0xff, 0]), 'no text'],
    ['is too long', 'x'.repeat(1024 * 1024 + 1), 'too long'],
  ])('a message that %s ends it', async (_, message, words) => {
    const { door, checkpoint } = await openWorld((socket) => socket.send(message), passwords)
    const client = await openClient(door.port)
    const { code, reason } = await client.closed
    expect(code).toBe(1008)
    expect(reason).toContain(words)
    expect(await settled(checkpoint)).toMatchObject({ status: 'done', error: { code: 'withheld' } })
  })
})

describe('the end', () => {
  test('of whom an admin kills is told', async () => {
    const { door, checkpoint } = await openWorld((socket) => socket.send('hello'))
    const client = await openClient(door.port)
    await client.next()
    door.kill(refusal)
    expect(await client.closed).toEqual({ code: 1001, reason: 'killed by ana' })
    expect((await settled(checkpoint))?.status).toBe('unknown')
  })

  test('comes when its recording is lost', async () => {
    const { door, checkpoint, recordings } = await openWorld((socket) => socket.send('hello'))
    const client = await openClient(door.port)
    await client.next()
    recordings.lose(new Error('no space left'))
    expect((await client.closed).reason).toContain('cannot be recorded')
    expect(await settled(checkpoint)).toMatchObject({ status: 'failed', error: { code: 'audit-unavailable' } })
  })

  test('comes to a client that breaks the rules', async () => {
    const { door, checkpoint } = await openWorld(nothing)
    const client = await openRawClient(door.port)
    client.say(
      'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
    )
    expect(await client.hears('\r\n\r\n')).not.toMatch(/extensions/i)
    // A frame that is not masked.
    client.say(Buffer.from([0x81, 0x01, 0x61]))
    await client.ended
    expect(await settled(checkpoint)).toMatchObject({ status: 'failed', error: { code: 'protocol-error' } })
  })
})
