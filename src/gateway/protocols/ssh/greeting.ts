/**
 * The client's end: key exchange with the gateway's own host key, then authentication, which anybody passes: who the caller
 * is, is known from the link already. What is offered there is neither looked at nor kept.
 */
import type { Duplex } from 'node:stream'
import ssh2, { type Connection } from 'ssh2'
import { reasonOf } from '../../../base/errors.ts'
import { hoopError } from '../../../contract/error-codes.ts'
import { towardsClients } from './algorithms.ts'
import { type AskedQueue, listenForAsked } from './asked.ts'
import { joinFirstLine } from './first-line.ts'
import { disconnect, disconnectReasons, takePackets } from './inside.ts'

export interface Client {
  readonly connection: Connection
  readonly socket: Duplex
  /** What it calls itself: `OpenSSH_9.2p1`. */
  readonly software: string
  readonly asked: AskedQueue
  /** Aborted when it is gone; the reason is an error where it broke the protocol. */
  readonly gone: AbortSignal
  /** Says why, then ends. */
  end(sentence: string): void
}

/** A client that is asleep (a closed laptop, a stopped process) keeps its connection this long, as with OpenSSH's own. */
const keepaliveIntervalMs = 30_000
const keepaliveMost = 20

export async function greet(socket: Duplex, hostKey: string, signal: AbortSignal): Promise<Client> {
  const gone = new AbortController()
  const leave = (reason?: unknown) => gone.abort(reason)
  // One for each channel that waits for it.
  socket.setMaxListeners(0)
  socket.on('error', () => leave())
  socket.once('close', () => leave())
  const stop = () => socket.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await welcome(socket, hostKey, gone)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function welcome(socket: Duplex, hostKey: string, gone: AbortController): Promise<Client> {
  return new Promise((resolve, reject) => {
    const early = () => reject(hoopError('cancelled', 'the client left before it said what it wants'))
    gone.signal.addEventListener('abort', early, { once: true })
    const server = new ssh2.Server({
      hostKeys: [hostKey],
      algorithms: towardsClients,
      ident: 'hoop',
      keepaliveInterval: keepaliveIntervalMs,
      keepaliveCountMax: keepaliveMost,
    })
    server.on('connection', (connection, { header }) => {
      takePackets(connection)
      connection.on('error', (error: Error & { level?: string }) => {
        if (isLost(error)) return gone.abort()
        const broken = hoopError('protocol-error', `the client broke the protocol: ${reasonOf(error)}`, {
          cause: error,
        })
        reject(broken)
        gone.abort(broken)
        disconnect(connection, disconnectReasons.protocolError, broken.message)
        socket.end()
      })
      connection.on('close', () => gone.abort())
      connection.on('authentication', (context) => context.accept())
      connection.once('ready', () => {
        gone.signal.removeEventListener('abort', early)
        resolve({
          connection,
          socket,
          software: header.versions.software,
          asked,
          gone: gone.signal,
          end(sentence) {
            disconnect(connection, disconnectReasons.byApplication, sentence)
            socket.end()
          },
        })
      })
      const asked = listenForAsked(connection, gone.signal)
    })
    // ssh2 can send nothing any more when the client has ended its half.
    socket.once('end', () => {
      gone.abort()
      socket.end()
    })
    joinFirstLine(socket)
    // ssh2 asks of it what any Duplex has; the declaration says Socket.
    server.injectSocket(socket as Parameters<typeof server.injectSocket>[0])
  })
}

/** It has gone away, or does not answer: no mistake of anybody's. */
function isLost(error: Error & { level?: string }): boolean {
  return error.level === 'socket' || error.level === 'client-timeout' || 'code' in error
}
