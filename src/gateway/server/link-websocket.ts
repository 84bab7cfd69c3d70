/** Links over WebSockets, one connection each: for clients whose proxies pass nothing else. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import { longestMessage, WebSocketStream } from '../../base/websocket-stream.ts'
import { headers as names, paths } from '../../contract/api.ts'
import { hoopError } from '../../contract/error-codes.ts'
import type { Admission } from '../sessions/sessions.ts'
import { codeOf, finish, type LinksOptions, type Verify } from './link-admission.ts'

export interface WebSocketLinks {
  /** Throws what is answered instead of opening. */
  open(path: string, request: IncomingMessage, socket: Socket, head: Buffer): Promise<void>
  close(): void
}

const pingEveryMs = 30_000

export function createWebSocketLinks({ sessions, metrics, log }: LinksOptions, verify: Verify): WebSocketLinks {
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: longestMessage })

  async function admitted(path: string, request: IncomingMessage): Promise<Admission> {
    const { authorization, [names.session]: session } = request.headers
    try {
      const caller = await verify(authorization, request.socket.remoteAddress)
      if (typeof session !== 'string' || session === '')
        throw hoopError('usage', `a link needs the header ${names.session}`)
      return await sessions.admit(caller, session, targetIn(path))
    } catch (error) {
      metrics.link('websocket', codeOf(error))
      throw error
    }
  }

  return {
    async open(path, request, socket, head) {
      const admission = await admitted(path, request)
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
    },
    close() {
      for (const webSocket of webSockets.clients) webSocket.terminate()
    },
  }
}

/** The target's name out of `/v1/link/NAME`. */
function targetIn(path: string): string {
  try {
    return decodeURIComponent(path.slice(paths.link('').length))
  } catch (error) {
    throw hoopError('usage', 'the name of the target is not well encoded', { cause: error })
  }
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

/** A broken connection shows as the stream's close; without a listener the error would end the gateway. */
function noOneWaits(): void {}
