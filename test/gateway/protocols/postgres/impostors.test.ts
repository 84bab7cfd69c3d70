/** Servers that do not keep to the protocol during the login: scripted, because no real one does that. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Secret } from '../../../../src/base/secret.ts'
import { type LoggedIn, login } from '../../../../src/gateway/protocols/postgres/login.ts'
import { authenticationOk, backendKey } from '../../../../src/gateway/protocols/postgres/messages.ts'
import { cstring, frame, int32 } from '../../../../src/gateway/protocols/postgres/wire.ts'
import type { TlsSettings } from '../../../../src/gateway/protocols/protocol.ts'
import { type End, listenAsUpstream } from '../../../support/script.ts'
import { credentialOf } from '../../../support/credentials.ts'

let upstream: Awaited<ReturnType<typeof listenAsUpstream>>
beforeEach(async () => {
  upstream = await listenAsUpstream()
})
afterEach(() => upstream.close())

/** Both ends of a login at the scripted server; what it throws, if it does. */
async function meet(tls: TlsSettings = { mode: 'disable' }): Promise<{ server: End; end: Promise<unknown> }> {
  const end: Promise<LoggedIn | unknown> = login({
    target: {
      name: 'pg',
      protocol: 'postgres',
      host: '127.0.0.1',
      port: upstream.port,
      user: 'app',
      tls,
      databases: [],
    },
    credential: credentialOf(new Secret('pencil')),
    database: Buffer.from('shop'),
    options: [],
    signal: AbortSignal.timeout(5000),
  }).catch((error: unknown) => error)
  return { server: await upstream.next(), end }
}

async function startup(server: End): Promise<void> {
  const length = await server.take(4)
  await server.take(length.readInt32BE() - 4)
}

const ready = frame('Z', Buffer.from('I'))
const sasl = frame('R', int32(10), cstring('SCRAM-SHA-256'), Buffer.alloc(1))
const refused = (why: string) => ({ code: 'target-refused', message: expect.stringContaining(why) })

describe('a server', () => {
  it('that lets us in is believed', async () => {
    const { server, end } = await meet()
    await startup(server)
    server.say(authenticationOk, backendKey(7, Buffer.from('long key of 3.2')), ready)
    expect(await end).toMatchObject({ pid: 7, secret: Buffer.from('long key of 3.2') })
  })

  it('that begins SCRAM and then lets us in has not proved itself', async () => {
    const { server, end } = await meet()
    await startup(server)
    server.say(sasl)
    const header = await server.take(5)
    await server.take(header.readInt32BE(1) - 4)
    server.say(authenticationOk, ready)
    expect(await end).toMatchObject(refused('it may be an impostor'))
  })

  it('that asks for a password after it let us in gets none', async () => {
    const { server, end } = await meet()
    await startup(server)
    server.say(authenticationOk, frame('R', int32(3)))
    expect(await end).toMatchObject(refused('it asked for a password twice'))
    expect(server.unheard.includes('pencil')).toBe(false)
  })

  it('that says more than it was asked for is not trusted', async () => {
    const { server, end } = await meet()
    await startup(server)
    server.say(authenticationOk, ready, frame('D', Buffer.from([0, 0])))
    expect(await end).toMatchObject(refused('it speaks without being asked'))
  })

  it.each([
    ['a way to log in that we do not know', frame('R', int32(7)), 'a way to log in that the gateway does not know'],
    ['rows before it let us in', frame('D', Buffer.from([0, 0])), 'does not speak the PostgreSQL protocol'],
    ['a message of more than a megabyte', frame('N', Buffer.alloc(2_000_000)), 'more than 1 MiB'],
  ])('that sends %s is refused', async (_, message, why) => {
    const { server, end } = await meet()
    await startup(server)
    server.say(message)
    expect(await end).toMatchObject(refused(why))
  })

  it('that ends in the middle is refused', async () => {
    const { server, end } = await meet()
    await startup(server)
    server.socket.end(sasl.subarray(0, 7))
    expect(await end).toMatchObject(refused('it ended the connection'))
  })

  it('whose yes to TLS has bytes behind it was not alone on the line', async () => {
    const { server, end } = await meet({ mode: 'require' })
    await server.take(8)
    server.say(Buffer.from('S'), authenticationOk, ready)
    expect(await end).toMatchObject(refused('does not offer TLS'))
    expect(server.unheard.length).toBe(0)
  })
})
