import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import {
  createMaskKeys,
  createWebSocketReader,
  createWebSocketWriter,
  type WebSocketPart,
} from '../../../../src/gateway/protocols/wire/websocket.ts'
import { cuts } from '../../../support/chunks.ts'

const keys = createMaskKeys(randomBytes)
const toServer = createWebSocketWriter(keys)
const toClient = createWebSocketWriter()
const bytes = (text: string) => Buffer.from(text)

/** What was read, pieces of one message put together, and control frames where they stood. */
function told(parts: readonly WebSocketPart[]): string[] {
  const out: string[] = []
  let message: Buffer[] = []
  for (const part of parts) {
    if (part.kind === 'data') {
      expect(part.begins).toBe(message.length === 0)
      message.push(part.bytes)
      if (!part.ends) continue
      out.push(`${part.type} ${Buffer.concat(message).toString()}`)
      message = []
    } else out.push(part.kind === 'close' ? `close ${part.code} ${part.reason}` : `${part.kind} ${part.bytes}`)
  }
  expect(message).toEqual([])
  return out
}

function readAll(chunks: readonly Buffer[], from: 'client' | 'server'): WebSocketPart[] {
  const reader = createWebSocketReader({ from })
  return chunks.flatMap((chunk) => [...reader.read(chunk)])
}

function conversation(writer: typeof toServer): Buffer {
  const part = { kind: 'data', type: 'text' } as const
  return Buffer.concat(
    [
      writer.message('binary', Buffer.from([1]), bytes('abc')),
      writer.data({ ...part, bytes: bytes('Hel'), begins: true, ends: false }),
      writer.control('ping', bytes('are you there')),
      writer.data({ ...part, bytes: bytes(''), begins: false, ends: false }),
      writer.data({ ...part, bytes: bytes('lo'), begins: false, ends: true }),
      writer.message('text'),
      writer.control('pong', bytes('')),
      writer.message('text', bytes('x'.repeat(126))),
      writer.close(1000, 'bye'),
    ].flat(),
  )
}
const said = [
  'binary \x01abc',
  'ping are you there',
  'text Hello',
  'text ',
  'pong ',
  `text ${'x'.repeat(126)}`,
  'close 1000 bye',
]

describe('WebSocket frames', () => {
  it.each(['client', 'server'] as const)('of a %s read the same however they are cut', (from) => {
    const stream = conversation(from === 'client' ? toServer : toClient)
    for (const chunks of cuts(stream)) expect(told(readAll(chunks, from))).toEqual(said)
  })

  it('give pieces of a long message before it has come whole, and keep none of it', () => {
    const reader = createWebSocketReader({ from: 'server' })
    const head = Buffer.from('827f0000000100000000', 'hex')
    expect([...reader.read(head)]).toEqual([])
    const piece = Buffer.alloc(65_536)
    let got = 0
    for (let at = 0; at < 65_536; at += 1)
      for (const part of reader.read(piece)) {
        if (part.kind !== 'data') throw new Error(part.kind)
        expect(part.ends).toBe(at === 65_535)
        got += part.bytes.length
      }
    expect(got).toBe(2 ** 32)
  })

  it('leave what arrived as it was', () => {
    const stream = conversation(toServer)
    const before = Buffer.from(stream)
    readAll([stream], 'client')
    expect(stream.equals(before)).toBe(true)
  })

  it('read nothing behind a close', () => {
    const stream = Buffer.concat([...toClient.close(1001, 'gone'), ...toClient.message('text', bytes('more'))])
    expect(told(readAll([stream], 'server'))).toEqual(['close 1001 gone'])
  })

  it.each<[string, 'client' | 'server', string]>([
    ['a client that masks nothing', 'client', '810161'],
    ['a server that masks', 'server', '81810000000061'],
    ['an extension', 'server', 'c10161'],
    ['a reserved opcode', 'server', '830161'],
    ['a control frame in fragments', 'server', '090161'],
    ['a control frame of 126 bytes', 'server', '897e007e'],
    ['a fragment without a beginning', 'server', '800161'],
    ['a message within a message', 'server', '0101618101'],
    ['16 bits for a short length', 'server', '827e007d'],
    ['64 bits for a short length', 'server', '827f000000000000ffff'],
    ['a length beyond what can be counted', 'server', '827f8000000000000000'],
    ['half a close code', 'server', '880103'],
    ['a close code that is never sent', 'server', '880203ed'],
    ['a reason that is not UTF-8', 'server', '880303e8ff'],
  ])('refuse %s', (_what, from, hex) => {
    expect(() => readAll([Buffer.from(`${hex}0000`, 'hex')], from)).toThrow(/not a WebSocket that can be followed/)
  })

  it('refuse or read random bytes, and never more of them than came', () => {
    for (let round = 0; round < 3000; round += 1) {
      const stream = randomBytes(1 + (round % 300))
      const reader = createWebSocketReader({ from: round % 2 === 0 ? 'client' : 'server' })
      let got = 0
      try {
        for (const part of reader.read(stream)) if (part.kind !== 'close') got += part.bytes.length
      } catch (error) {
        expect(error).toMatchObject({ code: 'protocol-error' })
      }
      expect(got).toBeLessThanOrEqual(stream.length)
    }
  })

  it('cut a reason that is too long at the end of a character', () => {
    const [part] = readAll([Buffer.concat(toClient.close(1011, 'é'.repeat(100)))], 'server')
    expect(part).toEqual({ kind: 'close', code: 1011, reason: 'é'.repeat(61) })
  })

  it('are understood by another implementation, and understand it', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => server.close())
    await once(server, 'listening')
    const heard: string[] = []
    const closed = Promise.withResolvers<void>()
    server.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => {
        heard.push(`${isBinary ? 'binary' : 'text'} ${data}`)
        socket.send(data, { binary: isBinary })
      })
      socket.on('ping', (data) => heard.push(`ping ${data}`))
      socket.on('pong', (data) => heard.push(`pong ${data}`))
      socket.on('close', (code, reason) => {
        heard.push(`close ${code} ${reason}`)
        closed.resolve()
      })
      socket.send('Hello', { fin: false })
      socket.send(', world', { fin: true })
      socket.send(Buffer.alloc(70_000, 'x'), { binary: true })
    })
    const { port } = server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1')
    const end = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13 }
    const head = Object.entries({ ...end, Host: 'x', 'Sec-WebSocket-Key': randomBytes(16).toString('base64') })
    socket.write(`GET / HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
    socket.write(conversation(toServer))
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk)
    await closed.promise
    const answer = Buffer.concat(chunks)
    const parts = readAll([answer.subarray(answer.indexOf('\r\n\r\n') + 4)], 'server')
    expect(heard).toEqual(said)
    expect(told(parts)).toEqual([
      'text Hello, world',
      `binary ${'x'.repeat(70_000)}`,
      'binary \x01abc',
      'pong are you there',
      'text Hello',
      'text ',
      `text ${'x'.repeat(126)}`,
      'close 1000 bye',
    ])
  })
})
