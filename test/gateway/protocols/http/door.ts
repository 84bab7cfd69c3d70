/** HTTP through the protocol as the tests of this folder need it: a target that says what arrived, a door, raw clients. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { Secret } from '../../../../src/base/secret.ts'
import { createHttp, type HttpSettings } from '../../../../src/gateway/protocols/http/index.ts'
import type { HttpTarget, Target } from '../../../../src/gateway/protocols/protocol.ts'
import {
  createRecordingCheckpoint,
  type Door,
  openDoor,
  type RecordingCheckpoint,
} from '../../../support/conversation.ts'
import { credentialOf } from '../../../support/credentials.ts'

export function createTestHttp(settings: Partial<HttpSettings> = {}) {
  return createHttp({ clock: systemClock, maxStatementBytes: 1024 * 1024, connectTimeoutMs: 5000, ...settings })
}

export function targetAt(port: number, settings: Partial<HttpTarget> = {}, rest: Partial<Target> = {}): Target {
  return {
    name: 'http-test',
    protocol: 'http',
    host: '127.0.0.1',
    port,
    tls: { mode: 'disable' },
    user: '',
    databases: [],
    http: { login: 'none', paths: [], ...settings },
    ...rest,
  }
}

export interface TestDoor extends Door {
  readonly checkpoint: RecordingCheckpoint
}

/** Closed when the test is over. */
export async function openTestDoor(
  port: number,
  checkpoint = createRecordingCheckpoint(),
  settings: {
    readonly http?: Partial<HttpTarget>
    readonly secret?: string
    readonly parts?: Partial<HttpSettings>
  } = {},
): Promise<TestDoor> {
  const door = await openDoor({
    protocol: createTestHttp(settings.parts),
    target: targetAt(port, settings.http),
    credential: credentialOf(settings.secret === undefined ? undefined : new Secret(settings.secret)),
    checkpoint,
  })
  onTestFinished(() => door.close())
  return { ...door, checkpoint }
}

/** A target that is written in the test itself: what it does with each connection. Its bytes are kept as they came. */
export interface RawTarget {
  readonly port: number
  /** What arrived, of all connections: the beginning, where it is much. */
  seen(): string
  readonly connections: number
}

const mostArrived = 100

export async function startRawTarget(converse: (socket: Socket) => void): Promise<RawTarget> {
  const arrived: Buffer[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => {
      if (arrived.length < mostArrived) arrived.push(bytes)
    })
    converse(socket)
  })
  const port = await listening(server)
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    port,
    seen: () => Buffer.concat(arrived).toString('latin1'),
    get connections() {
      return connections
    },
  }
}

export async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

export interface RawClient {
  readonly socket: Socket
  say(text: string | Buffer): void
  /** Everything heard so far. */
  heard(): string
  /** Resolves as soon as what was heard contains it. */
  hears(text: string | RegExp): Promise<string>
  /** Resolves with all that was heard when the other side has ended. */
  readonly ended: Promise<string>
}

export async function openRawClient(port: number): Promise<RawClient> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
  const parts: Buffer[] = []
  socket.on('error', () => undefined)
  socket.on('data', (bytes: Buffer) => parts.push(bytes))
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  const heard = () => Buffer.concat(parts).toString('latin1')
  const ended = new Promise<string>((resolve) => {
    socket.once('end', () => resolve(heard()))
    socket.once('close', () => resolve(heard()))
  })
  return {
    socket,
    say: (text) => void socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text),
    heard,
    async hears(text) {
      const has = () => (typeof text === 'string' ? heard().includes(text) : text.test(heard()))
      while (!has()) {
        if (socket.readableEnded || socket.destroyed) throw new Error(`ended without ${String(text)}: ${heard()}`)
        await Promise.race([once(socket, 'data'), ended])
      }
      return heard()
    },
    ended,
  }
}
