/**
 * Links: a caller's connection to a target, as one HTTP/2 stream or one WebSocket. Who asks and whether they may is
 * settled before it opens; what is said on it is the admission's business.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { constants } from 'node:http2'
import { WebSocketServer } from 'ws'
import { longestMessage, WebSocketStream } from '../../base/websocket-stream.ts'
import { headers as names, paths } from '../../contract/api.ts'
import { hoopError, isHoopError } from '../../contract/error-codes.ts'
import type { Caller } from '../identity/caller.ts'
import type { Admission } from '../sessions/sessions.ts'
import { answerTo, rawResponse } from './answers.ts'
import { bearerIn } from './bearer.ts'
import type { RouteContext } from './context.ts'
import { type Doorway, foreign } from './visitors.ts'

export interface Links {
  /** Is this path a link's? */
  leadsTo(path: string): boolean
  overHttp2(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, path: string): Promise<void>
  /** The socket of an `Upgrade: websocket` request, whatever its path. */
  overWebSocket(request: UpgradeRequest, socket: Duplex, head: Buffer): Promise<void>
  /** Ends all WebSockets. */
  close(): void
}

type LinksOptions = Pick<RouteContext, 'identity' | 'sessions' | 'metrics' | 'log' | 'turnedAway'>
type UpgradeRequest = Parameters<WebSocketServer['handleUpgrade']>[0]

const prefix = paths.link('')
const pingEveryMs = 30_000
/** After the gateway's side has ended, how long the other may take to end its own. */
const lingerMs = 5000

export function createLinks(options: LinksOptions, doorway: Doorway): Links {
  const { identity, sessions, metrics, log, turnedAway } = options
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: longestMessage })

  /** Throws what is answered instead of opening. */
  async function admit(
    path: string,
    host: string | undefined,
    headers: IncomingHttpHeaders,
    address: string | undefined,
  ): Promise<Admission> {
    const why = foreign(host, headers.origin, doorway)
    if (why !== undefined) throw hoopError('not-allowed', why)
    const caller = await verified(headers.authorization, address)
    const session = headers[names.session]
    if (typeof session !== 'string' || session === '')
      throw hoopError('usage', `a link needs the header ${names.session}`)
    return await sessions.admit(caller, session, targetIn(path))
  }

  async function verified(authorization: string | undefined, address: string | undefined): Promise<Caller> {
    try {
      return await identity.verify(bearerIn(authorization))
    } catch (error) {
      turnedAway.note(address, authorization, error)
      throw error
    }
  }

  return {
    leadsTo: (path) => path.startsWith(prefix),

    async overHttp2(stream, headers, path) {
      stream.on('error', noOneWaits)
      try {
        const authority = headers[':authority']
        const host = typeof authority === 'string' ? authority : headers.host
        if (headers[':method'] !== 'POST') throw hoopError('usage', 'a link is opened with POST')
        const admission = await admit(path, host, headers, stream.session?.socket.remoteAddress)
        if (stream.destroyed || stream.closed) return
        metrics.link('http2', 'open')
        // Node lets a stream that was reset end as if all had been said; a break must not look like an end.
        stream.once('aborted', () => {
          if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) stream.destroy(new Error('the client broke off'))
        })
        stream.respond({ ':status': 200, 'content-type': 'application/octet-stream', 'cache-control': 'no-store' })
        await admission.run(stream)
        finish(stream, () => stream.close(constants.NGHTTP2_NO_ERROR))
      } catch (error) {
        metrics.link('http2', codeOf(error))
        if (stream.destroyed || stream.closed || stream.headersSent) {
          stream.destroy()
          return
        }
        const { status, body, headers: said } = answerTo(error, log)
        stream.respond({ ':status': status, ...said })
        stream.end(JSON.stringify(body))
        // Nothing of what the client still sends is wanted.
        stream.resume()
      }
    },

    async overWebSocket(request, socket, head) {
      socket.on('error', noOneWaits)
      try {
        const path = pathOf(request.url)
        if (!path.startsWith(prefix)) throw hoopError('not-found', `there is no WebSocket at ${path}`)
        const admission = await admit(path, request.headers.host, request.headers, request.socket.remoteAddress)
        if (socket.destroyed) return
        webSockets.handleUpgrade(request, socket, head, (webSocket) => {
          metrics.link('websocket', 'open')
          const stream = new WebSocketStream(webSocket)
          stream.on('error', noOneWaits)
          keepAlive(webSocket)
          admission
            .run(stream)
            .then(() => finish(stream, () => stream.destroy()))
            .catch((error: unknown) => {
              log.error({ err: error }, 'a connection ended with an error that is ours')
              stream.destroy()
            })
        })
      } catch (error) {
        metrics.link('websocket', codeOf(error))
        socket.end(rawResponse(answerTo(error, log)))
        socket.resume()
      }
    },

    close() {
      for (const webSocket of webSockets.clients) webSocket.terminate()
    },
  }
}

/** The target's name out of `/v1/link/NAME`. */
function targetIn(path: string): string {
  try {
    return decodeURIComponent(path.slice(prefix.length))
  } catch (error) {
    throw hoopError('usage', 'the name of the target is not well encoded', { cause: error })
  }
}

export function pathOf(url: string | undefined): string {
  return (url ?? '/').split('?', 1)[0] ?? '/'
}

/**
 * After a run both directions shall be over. What was written still has to arrive: so this side ends, the other gets a
 * moment to do the same, and only then the rest is cut.
 */
function finish(stream: Duplex, cut: () => void): void {
  if (stream.destroyed) return
  if (!stream.writableEnded) stream.end()
  stream.resume()
  const late = setTimeout(cut, lingerMs)
  stream.once('close', () => clearTimeout(late))
}

function keepAlive(webSocket: { isPaused: boolean; ping(): void; terminate(): void; on: WebSocketOn }): void {
  let silent = 0
  const timer = setInterval(() => {
    // While nobody reads from it no pong is read either.
    if (webSocket.isPaused) return
    silent += 1
    if (silent > 2) webSocket.terminate()
    else webSocket.ping()
  }, pingEveryMs).unref()
  webSocket.on('pong', () => {
    silent = 0
  })
  webSocket.on('close', () => clearInterval(timer))
}

type WebSocketOn = (event: 'pong' | 'close', listener: () => void) => unknown

function codeOf(error: unknown): string {
  return isHoopError(error) ? error.code : 'internal'
}

/** A broken connection shows as the stream's close; without a listener the error would end the gateway. */
function noOneWaits(): void {}
