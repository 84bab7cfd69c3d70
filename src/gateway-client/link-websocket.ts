/**
 * Links over WebSockets, for proxies that pass nothing else: a connection for each. There is no shared connection to
 * watch, so the gateway counts as lost when a small request to it fails.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { reasonOf } from '../base/errors.ts'
import { longestMessage, WebSocketStream } from '../base/websocket-stream.ts'
import { hoopError, isHoopError } from '../contract/error-codes.ts'
import { headers, linkPaths, startHeader } from '../contract/link.ts'
import { textOf } from './answer-text.ts'
import { dial, placeOf, unreachable, type Way } from './dial.ts'
import { refusedBy } from './refused.ts'
import type { OpenRequest, Transport } from './transport.ts'
import { TransportLost } from './transport.ts'

const pingEveryMs = 15_000

export async function connectWebSocket(way: Way, signal?: AbortSignal): Promise<Transport> {
  await probe(way, signal)
  const { promise: lost, resolve: lose } = Promise.withResolvers<string>()
  const { promise: over, resolve: end } = Promise.withResolvers<void>()
  const open = new Set<WebSocket>()
  let isLost = false

  function lostBecause(reason: string): void {
    isLost = true
    lose(reason)
    if (open.size === 0) end()
  }

  return {
    kind: 'websocket',
    async open(request) {
      try {
        const { socket, stream } = await openWebSocket(way, request)
        open.add(socket)
        const beat = keepAlive(socket)
        socket.once('close', (code) => {
          open.delete(socket)
          if (isLost && open.size === 0) end()
          clearInterval(beat)
          // A connection that was cut is the only hint there is that the gateway may be gone.
          if (code !== 1000) probe(way).catch((error: unknown) => lostBecause(reasonOf(error)))
        })
        return stream
      } catch (error) {
        if (!isHoopError(error) || error.code !== 'gateway-unreachable') throw error
        lostBecause(reasonOf(error))
        throw new TransportLost(reasonOf(error), { cause: error })
      }
    },
    lost,
    over,
    close() {
      for (const socket of open) socket.terminate()
    },
  }
}

/** Is a gateway there? Whatever it answers about its health, it answers. */
async function probe(way: Way, signal?: AbortSignal): Promise<void> {
  const socket = await dial(way, ['http/1.1'], signal)
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest({
      createConnection: () => socket,
      path: '/healthz',
      headers: { host: way.gateway.host },
      timeout: way.timeoutMs,
    })
      .once('response', resolve)
      .once('timeout', () => socket.destroy(new Error('timed out')))
      .on('error', (error) => reject(unreachable(way, error)))
      .end()
  })
  answer.resume()
  socket.destroy()
  const status = answer.statusCode ?? 0
  if (status !== 200) throw refusedBy(placeOf(way), status, '')
}

async function openWebSocket(way: Way, request: OpenRequest): Promise<{ socket: WebSocket; stream: WebSocketStream }> {
  const connection = await dial(way, ['http/1.1'], request.signal)
  const { session } = request
  const url = new URL(linkPaths.link(request.target), way.gateway)
  url.protocol = way.gateway.protocol === 'https:' ? 'wss:' : 'ws:'
  const socket = new WebSocket(url, {
    createConnection: () => connection,
    headers: {
      authorization: `Bearer ${request.token}`,
      ...(typeof session === 'string' ? { [headers.session]: session } : { [headers.start]: startHeader(session) }),
    },
    perMessageDeflate: false,
    maxPayload: longestMessage,
    handshakeTimeout: 15_000,
  })
  // From the first moment: what the gateway says may come together with its yes, and is lost when nobody listens yet.
  const stream = new WebSocketStream(socket)
  stream.on('error', isToldOtherwise)
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      reject(hoopError('cancelled', 'gave up opening a connection'))
      socket.terminate()
    }
    request.signal?.addEventListener('abort', giveUp, { once: true })
    if (request.signal?.aborted) giveUp()
    socket.on('error', (error) => reject(unreachable(way, error)))
    socket.once('close', () => request.signal?.removeEventListener('abort', giveUp))
    socket.once('open', () => {
      request.signal?.removeEventListener('abort', giveUp)
      resolve({ socket, stream })
    })
    socket.once('unexpected-response', (_request, answer: IncomingMessage) => {
      textOf(answer).then((body) => {
        reject(refusedBy(placeOf(way), answer.statusCode ?? 0, body))
        connection.destroy()
      }, reject)
    })
  })
}

/** Before it is open the rejection tells it, afterwards the stream's close. */
function isToldOtherwise(): void {}

/** Pings, and gives the connection up when nothing at all came back for two of them. */
function keepAlive(socket: WebSocket): NodeJS.Timeout {
  let silent = 0
  socket.on('pong', () => {
    silent = 0
  })
  return setInterval(() => {
    // While its reader is stalled nothing is read from the socket, pongs neither: silence says nothing then.
    if (socket.isPaused) return
    silent += 1
    if (silent > 2) socket.terminate()
    else socket.ping()
  }, pingEveryMs).unref()
}
