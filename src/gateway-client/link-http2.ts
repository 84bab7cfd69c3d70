/**
 * Links over one shared HTTP/2 connection: a stream for each. Windows are large, so that one stream can use a long road,
 * and each stream has its own, so that one nobody reads from holds up no other.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { reasonOf } from '../base/errors.ts'
import { headers, paths } from '../contract/api.ts'
import { hoopError } from '../contract/error-codes.ts'
import { dial, placeOf, type Way } from './dial.ts'
import { refusedBy } from './refused.ts'
import { type OpenRequest, type Transport, TransportLost, TransportUnfit } from './transport.ts'

const streamWindow = 1024 * 1024
const connectionWindow = 64 * 1024 * 1024
const pingEveryMs = 15_000
const pongWithinMs = 10_000
/** How long the gateway may take to say yes or no; it has to look at a token and a session, not at the target. */
const answerWithinMs = 15_000

/** Throws `gateway-unreachable`, or `TransportUnfit` where something answers that does not speak HTTP/2. */
export async function connectHttp2(way: Way, signal?: AbortSignal): Promise<Transport> {
  const socket = await dial(way, ['h2', 'http/1.1'], signal)
  if ('alpnProtocol' in socket && socket.alpnProtocol !== 'h2') {
    socket.destroy()
    throw new TransportUnfit(`${placeOf(way)} does not offer HTTP/2`)
  }
  const session = connect(way.gateway.origin, {
    createConnection: () => socket,
    settings: { initialWindowSize: streamWindow, enablePush: false },
    // Before the gateway's settings arrive, node assumes 100.
    peerMaxConcurrentStreams: 10_000,
    maxSessionMemory: 1024,
  })
  const lost = watch(session, socket)
  await firstSettings(session, way, signal)
  session.setLocalWindowSize(connectionWindow)
  return {
    kind: 'http2',
    open: (request) => openStream(session, way, request),
    lost,
    over: new Promise((resolve) => session.once('close', resolve)),
    close: () => session.destroy(),
  }
}

/** The reason, once the connection is gone; finds that out by pings where nothing else tells. */
function watch(session: ClientHttp2Session, socket: Socket): Promise<string> {
  let reason = 'connection closed by the other side'
  let goingAway = false
  const beat = setInterval(() => {
    if (session.destroyed || session.closed) return
    const late = setTimeout(() => session.destroy(new Error(`no answer for ${pongWithinMs / 1000} s`)), pongWithinMs)
    session.ping(() => clearTimeout(late))
  }, pingEveryMs).unref()
  session.on('error', (error) => {
    reason = reasonOf(error)
  })
  return new Promise((resolve) => {
    session.on('goaway', () => {
      goingAway = true
      // Open streams may finish; new ones belong on a new connection.
      resolve('the gateway is going away')
    })
    session.on('close', () => {
      clearInterval(beat)
      socket.destroy()
      if (!goingAway) resolve(reason)
    })
  })
}

/** HTTP/2 begins with the peer's settings; a peer that sends something else does not speak it. */
function firstSettings(session: ClientHttp2Session, way: Way, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const unfit = (why: string) => reject(new TransportUnfit(`${placeOf(way)} does not speak HTTP/2 (${why})`))
    const giveUp = () => session.destroy(new Error('gave up'))
    const late = setTimeout(() => session.destroy(new Error('no settings in time')), way.timeoutMs)
    signal?.addEventListener('abort', giveUp, { once: true })
    session.once('error', (error) => unfit(reasonOf(error)))
    session.once('close', () => {
      clearTimeout(late)
      if (signal?.aborted) reject(hoopError('cancelled', `gave up connecting to ${placeOf(way)}`))
      else unfit('connection closed')
    })
    session.once('remoteSettings', () => {
      clearTimeout(late)
      signal?.removeEventListener('abort', giveUp)
      resolve()
    })
  })
}

async function openStream(session: ClientHttp2Session, way: Way, request: OpenRequest): Promise<Duplex> {
  if (session.closed || session.destroyed) throw new TransportLost('the connection is closed')
  const stream = session.request(
    {
      ':method': 'POST',
      ':path': paths.link(request.target),
      authorization: `Bearer ${request.token}`,
      [headers.session]: request.session,
      'content-type': 'application/octet-stream',
    },
    { endStream: false },
  )
  const status = await answerTo(stream, request.signal)
  if (status === 200) return breaking(stream)
  const body = await bodyOf(stream)
  if (status === 426 || status === 411 || status === 501)
    throw new TransportUnfit(`${placeOf(way)} does not pass links over HTTP/2 (${status})`)
  throw refusedBy(placeOf(way), status, body)
}

/** Node lets a stream that was reset end as if all had been said; a break must not look like an end. */
function breaking(stream: ClientHttp2Stream): ClientHttp2Stream {
  return stream.once('aborted', () => {
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) stream.destroy(new Error('the connection was broken off'))
  })
}

function answerTo(stream: ClientHttp2Stream, signal: AbortSignal | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      reject(error)
      stream.close(constants.NGHTTP2_CANCEL)
    }
    const giveUp = () => fail(hoopError('cancelled', 'gave up opening a connection'))
    const late = setTimeout(
      () => fail(new TransportUnfit(`no answer to a link within ${answerWithinMs / 1000} s`)),
      answerWithinMs,
    )
    signal?.addEventListener('abort', giveUp, { once: true })
    if (signal?.aborted) giveUp()
    const settled = () => {
      clearTimeout(late)
      signal?.removeEventListener('abort', giveUp)
    }
    stream.on('error', (error) => reject(new TransportLost(reasonOf(error), { cause: error })))
    stream.once('close', () => {
      settled()
      reject(new TransportLost('the connection was closed'))
    })
    stream.once('response', (answer) => {
      settled()
      resolve(answer[':status'] ?? 0)
    })
  })
}

/** A refusal's body; never more than an error needs. */
async function bodyOf(stream: ClientHttp2Stream): Promise<string> {
  stream.end()
  let body = ''
  stream.setEncoding('utf8')
  try {
    for await (const chunk of stream) {
      body += String(chunk)
      if (body.length > 64 * 1024) break
    }
  } catch {
    // What came of it is all there is: the status alone is then the answer.
  }
  stream.close(constants.NGHTTP2_NO_ERROR)
  return body
}
