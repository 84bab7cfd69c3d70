import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { passOpening } from '../../src/tunnel/opening.ts'

const startup = Buffer.from('00000013000300007573657200617070000000', 'hex')
const query = Buffer.from('510000000d53454c454354203100', 'hex')
const sslRequest = Buffer.from('0000000804d2162f', 'hex')
const gssRequest = Buffer.from('0000000804d21630', 'hex')
const cancelRequest = Buffer.from('0000001004d2162e0000000700000009', 'hex')

let client: Socket
let accepted: Socket
let stream: PassThrough
beforeEach(async () => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  client = connect({ port: typeof address === 'object' ? (address?.port ?? 0) : 0, host: '127.0.0.1' })
  ;[accepted] = await once(server, 'connection')
  server.close()
  stream = new PassThrough()
})
afterEach(() => {
  client.destroy()
  accepted.destroy()
})

/** All that is left to be read of the socket, once the client has ended. */
const rest = async () => Buffer.concat(await accepted.toArray())
const never = new Promise<never>(() => undefined)
const hex = (bytes: Buffer | null | undefined) => bytes?.toString('hex')

describe('the first words of a PostgreSQL client', () => {
  it('go on before it is known whose they are, and nothing behind them does', async () => {
    client.end(Buffer.concat([startup, query]))
    expect(hex(await passOpening('postgres', accepted, stream, never))).toBe(hex(startup))
    expect(hex(stream.read())).toBe(hex(startup))
    expect(hex(await rest())).toBe(hex(query))
  })

  it('go on when they come a byte at a time', async () => {
    const passed = passOpening('postgres', accepted, stream, never)
    for (const byte of startup) {
      client.write(Buffer.of(byte))
      await pause(1)
    }
    expect(hex(await passed)).toBe(hex(startup))
    client.end(query)
    expect(hex(await rest())).toBe(hex(query))
  })

  it('may be questions for encryption, which are answered here', async () => {
    const passed = passOpening('postgres', accepted, stream, never)
    for (const question of [gssRequest, sslRequest]) {
      client.write(question)
      expect((await once(client, 'data'))[0].toString()).toBe('N')
    }
    client.write(startup)
    expect(hex(await passed)).toBe(hex(startup))
    expect(hex(stream.read())).toBe(hex(startup))
  })
})

describe('what has to wait, and is left in the socket, is', () => {
  it.each([
    ['a request to cancel', cancelRequest],
    ['a query', query],
    ['a question for encryption with something behind it', Buffer.concat([sslRequest, startup])],
    ['a startup message of another version', Buffer.from('0000000900020000ff', 'hex')],
    ['a startup message that claims to be longer than any', Buffer.from('7fffffff00030000', 'hex')],
  ])('%s', async (_what, bytes) => {
    client.end(bytes)
    expect(await passOpening('postgres', accepted, stream, never)).toBeUndefined()
    expect(stream.read()).toBeNull()
    expect(hex(await rest())).toBe(hex(bytes))
  })

  it('the third question for encryption', async () => {
    const passed = passOpening('postgres', accepted, stream, never)
    for (const question of [sslRequest, gssRequest]) {
      client.write(question)
      await once(client, 'data')
    }
    client.end(sslRequest)
    expect(await passed).toBeUndefined()
    expect(hex(await rest())).toBe(hex(sslRequest))
  })

  it.each([0, 1, 7, 12])('what a client says that says only %i bytes and ends', async (length) => {
    client.end(startup.subarray(0, length))
    expect(await passOpening('postgres', accepted, stream, pause(30))).toBeUndefined()
    expect(stream.read()).toBeNull()
    expect(hex(await rest())).toBe(hex(startup.subarray(0, length)))
  })

  it('everything that comes after it is known whose connection it is', async () => {
    const known = Promise.withResolvers<void>()
    const passed = passOpening('postgres', accepted, stream, known.promise)
    known.resolve()
    expect(await passed).toBeUndefined()
    client.end(startup)
    expect(hex(await rest())).toBe(hex(startup))
    expect(stream.read()).toBeNull()
  })
})
