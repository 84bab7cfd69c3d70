/** The gateway's one port: the API, and links. */
import {
  createServer as createHttp2Server,
  type Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { systemClock } from '../../base/clock.ts'
import { reasonOf } from '../../base/errors.ts'
import { hoopError } from '../../contract/error-codes.ts'
import type { Config } from '../config/schema.ts'
import { createApp } from './app.ts'
import type { Api, ServerOptions } from './context.ts'
import { createLinks } from './link.ts'
import type { ServerMetrics } from './metrics.ts'
import { createPort, minVersion } from './port.ts'
import { createTurnedAway } from './turned-away.ts'

export interface RunningServer {
  readonly port: number
  /** As a client on this machine writes it. */
  readonly url: string
  /** For connections that come from now on. */
  exchangeCertificate(tls: { readonly cert: string; readonly key: string }): void
  /** Stops listening, ends streams, waits a moment for answers under way, then cuts what is left. */
  close(): Promise<void>
}

const pingEveryMs = 30_000
const pongWithinMs = 20_000
const closeWithinMs = 2000

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { listen, metrics } = options
  const closing = new AbortController()
  const doorway = { host: listen.host, names: listen.names ?? [] }
  const turnedAway = createTurnedAway(options.audit, systemClock)
  const context = { ...options, beatMs: options.beatMs ?? 15_000, turnedAway, closing: closing.signal }
  const app = await createApp(context, doorway)
  const links = createLinks(context, doorway)
  const http2 = createHttp2(app)
  app.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    links.upgrade(request, socket, head)
  })
  // It never listens itself; this starts its watch over requests that are sent too slowly.
  app.server.emit('listening')

  const port = await createPort(listen, {
    http1: (socket) => app.server.emit('connection', socket),
    http2: (socket) => http2.server.emit('connection', socket),
  })
  const sockets = trackSockets(port, metrics)
  await listening(port, listen)
  const address = port.address()
  const number = typeof address === 'object' && address !== null ? address.port : listen.port

  return {
    port: number,
    url: `${listen.tls === undefined ? 'http' : 'https'}://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${number}`,
    exchangeCertificate({ cert, key }) {
      if (port instanceof TlsServer) port.setSecureContext({ cert, key, minVersion })
    },
    async close() {
      closing.abort()
      const closed = new Promise<void>((resolve) => port.close(() => resolve()))
      http2.close()
      links.leave()
      // Connections that are kept alive become idle one by one, when what they carry is over.
      const idle = setInterval(() => app.server.closeIdleConnections(), 20)
      const cut = setTimeout(() => {
        links.close()
        for (const socket of sockets) socket.destroy()
      }, closeWithinMs)
      await app.close()
      await closed
      clearTimeout(cut)
      clearInterval(idle)
    },
  }
}

/** The API answers over HTTP/2 too: a client that speaks it (curl over TLS does) is not sent away. */
function createHttp2(app: Api): { server: Http2Server; close(): void } {
  const sessions = new Set<ServerHttp2Session>()
  const server = createHttp2Server()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', noOneWaits)
    session.on('close', () => sessions.delete(session))
    keepAlive(session)
  })
  server.on('stream', (stream, headers, _flags, rawHeaders) => {
    stream.on('error', noOneWaits)
    const request = new Http2ServerRequest(stream, headers, {}, rawHeaders)
    // Fastify's router reads and writes what both versions share; its types only know the one it was created for.
    app.routing(
      request as unknown as IncomingMessage,
      new Http2ServerResponse(stream) as unknown as ServerResponse<IncomingMessage>,
    )
  })
  return {
    server,
    close() {
      for (const session of sessions) session.close()
    },
  }
}

/** Finds out about clients that vanished without a word. */
function keepAlive(session: ServerHttp2Session): void {
  const timer = setInterval(() => {
    if (session.closed || session.destroyed) return
    const late = setTimeout(() => session.destroy(), pongWithinMs).unref()
    session.ping(() => clearTimeout(late))
  }, pingEveryMs).unref()
  session.on('close', () => clearInterval(timer))
}

function trackSockets(port: Server, metrics: ServerMetrics): Set<Socket> {
  const sockets = new Set<Socket>()
  port.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => {
      sockets.delete(socket)
      metrics.moved(socket.bytesRead, socket.bytesWritten)
    })
  })
  metrics.watch('hoop_open_sockets', 'Sockets open at the port', () => sockets.size)
  return sockets
}

function listening(port: Server, { host, port: number }: Config['listen']): Promise<void> {
  return new Promise((resolve, reject) => {
    port.once('error', (error) => {
      const taken = 'code' in error && error.code === 'EADDRINUSE'
      reject(
        hoopError(
          taken ? 'port-in-use' : 'config-invalid',
          `cannot listen on ${host}:${number} (${taken ? 'the port is taken' : reasonOf(error)})`,
          { cause: error },
        ),
      )
    })
    port.listen({ host, port: number }, resolve)
  })
}

/** What ends a session or a stream shows as its close; without a listener the error would end the gateway. */
function noOneWaits(): void {}
