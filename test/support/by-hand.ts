/** PostgreSQL spoken by hand: messages as a client writes them, answers in one word each, and a door to a real server. */
import { systemClock } from '../../src/base/clock.ts'
import { Secret } from '../../src/base/secret.ts'
import type { Postgres } from '../../src/demo/postgres.ts'
import { createPostgres } from '../../src/gateway/protocols/postgres/index.ts'
import { readFields } from '../../src/gateway/protocols/postgres/messages.ts'
import { cstring, frame, int16, int32 } from '../../src/gateway/protocols/postgres/wire.ts'
import type { Target } from '../../src/gateway/protocols/protocol.ts'
import { type Door, openDoor, type RecordingCheckpoint } from './conversation.ts'
import { connectAsClient, type End } from './script.ts'
import { credentialOf } from './credentials.ts'

export function startup(options: Readonly<Record<string, string>> = {}, version = 3 << 16): Buffer {
  const pairs = Object.entries({ user: 'me', database: 'postgres', ...options }).flat()
  const body = Buffer.concat([int32(version), ...pairs.map((text) => cstring(text)), Buffer.alloc(1)])
  return Buffer.concat([int32(body.length + 4), body])
}
export const query = (sql: string) => frame('Q', cstring(sql))
export const parse = (sql: string, name: string | Buffer = '') => frame('P', cstring(name), cstring(sql), int16(0))
export const bind = (name = '', portal = '') => frame('B', cstring(portal), cstring(name), int16(0), int16(0), int16(0))
export const execute = (rows = 0, portal = '') => frame('E', cstring(portal), int32(rows))
export const sync = frame('S')
/** Parse, Bind and Execute of one statement, as libpq's pipeline sends it. */
export const run = (sql: string) => Buffer.concat([parse(sql), bind(), execute()])

/**
 * Types of the messages up to `count` ReadyForQuery, with what is telling in them: `C:SELECT 1`, `E:42501`, `Z:I`.
 * `until`: or up to this one, whichever comes first.
 */
export async function hear(end: End, count = 1, until?: string): Promise<string[]> {
  const heard: string[] = []
  for (let ready = 0; ready < count && (until === undefined || !heard.includes(until)); ) {
    const header = await end.take(5)
    const type = String.fromCharCode(header[0] ?? 0)
    const body = await end.take(header.readInt32BE(1) - 4)
    if (type === 'S' || type === 'K' || type === 'R') continue
    if (type === 'Z') ready += 1
    if (type === 'C' || type === 'Z') heard.push(`${type}:${body.toString('latin1').replace('\0', '')}`)
    else if (type === 'E' || type === 'N') heard.push(`${type}:${readFields(Buffer.concat([header, body])).get('C')}`)
    else heard.push(type)
  }
  return heard
}

/** The key with which this connection can be cancelled; leaves the client where it can ask. */
export async function takeKey(end: End): Promise<Buffer> {
  let key = Buffer.alloc(0)
  for (let type = ''; type !== 'Z'; ) {
    const header = await end.take(5)
    type = String.fromCharCode(header[0] ?? 0)
    const body = await end.take(header.readInt32BE(1) - 4)
    if (type === 'K') key = Buffer.from(body)
  }
  return key
}

/** A CancelRequest, on its own connection; resolves when it was taken. */
export async function cancelByHand(door: Door, key: Buffer): Promise<void> {
  const end = await connectAsClient(door.port)
  end.say(int32(8 + key.length), int32(80_877_102), key)
  await end.hearsEnd()
}

export async function byHand(door: Door): Promise<End> {
  const end = await connectAsClient(door.port)
  end.say(startup())
  await hear(end)
  return end
}

export const protocol = createPostgres({
  clock: systemClock,
  maxStatementBytes: 1024 * 1024,
  connectTimeoutMs: 5000,
})

export function openDoorTo(
  server: Pick<Postgres, 'host' | 'port' | 'user' | 'password'>,
  checkpoint: RecordingCheckpoint,
  given: Partial<Target> = {},
): Promise<Door> {
  return openDoor({
    protocol,
    target: {
      name: 'pg-test',
      protocol: 'postgres',
      host: server.host,
      port: server.port,
      tls: { mode: 'disable' },
      user: server.user,
      databases: [],
      ...given,
    },
    credential: credentialOf(new Secret(server.password)),
    checkpoint,
  })
}
