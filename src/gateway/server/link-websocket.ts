/** Links over WebSockets, one connection each: for clients whose proxies pass nothing else. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import { longestMessage, WebSocketStream } from '../../base/websocket-stream.ts'
import { loneSessionSchema, paths } from '../../contract/api.ts'
import { hoopError } from '../../contract/error-codes.ts'
import { headers as names, type LoneSession } from '../../contract/link.ts'
import type { Admission } from '../sessions/sessions.ts'
import { admissionTo, codeOf, finish, type LinksOptions, type Verify } from './link-admission.ts'

export interface WebSocketLinks {
  /** Throws what is answered instead of opening. */
  open(path: string, request: IncomingMessage, socket: Socket, head: Buffer): Promise<void>
  close(): void
}

const pingEveryMs = 30_000

export function createWebSocketLinks({ sessions, metrics, log }: LinksOptions, verify: Verify): WebSocketLinks {
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: longestMessage })

  async function admitted(path: string, request: IncomingMessage): Promise<Admission> {
    const { authorization, [names.session]: session, [names.start]: start } = request.headers
    try {
      const caller = await verify(authorization, request.socket.remoteAddress)
      const needed = `the header ${names.session}`
      const belonging = { session: one(session), start: startIn(one(start)), needed }
      return await admissionTo(sessions, caller, targetIn(path), belonging)
    } catch (error) {
      metrics.link('websocket', codeOf(error))
      throw error
    }
  }

  return {
    async open(path, request, socket, head) {
      const admission = await admitted(path, request)
      if (socket.destroyed) return await admission.decline()
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

function one(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0]
}

function startIn(header: string | undefined): LoneSession | undefined {
  if (header === undefined) return undefined
  try {
    return loneSessionSchema.parse(JSON.parse(decodeURIComponent(header)))
  } catch (error) {
    throw hoopError('usage', `the header ${names.start} cannot be read`, { cause: error })
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
