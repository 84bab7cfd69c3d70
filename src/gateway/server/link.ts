/**
 * Links: callers' connections to targets. Who asks and whether they may is settled before one opens (link-admission.ts);
 * how it travels is link-upgrade.ts' and link-websocket.ts' business, what is said on it the admission's.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { paths } from '../../contract/api.ts'
import { linkProtocol } from '../../contract/link.ts'
import { type Answer, answer, answerTo, rawResponse } from './answers.ts'
import { createVerify, type LinksOptions } from './link-admission.ts'
import { createUpgradeLinks } from './link-upgrade.ts'
import { createWebSocketLinks } from './link-websocket.ts'
import { type Doorway, foreign } from './visitors.ts'

export interface Links {
  /** A request to upgrade, whatever its path and to whatever. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void
  /** Takes no new streams on the links that are open. */
  leave(): void
  /** Ends all WebSockets. */
  close(): void
}

export function createLinks(options: LinksOptions, doorway: Doorway): Links {
  const verify = createVerify(options)
  const upgraded = createUpgradeLinks(options, verify)
  const webSockets = createWebSocketLinks(options, verify)

  return {
    upgrade(request, socket, head) {
      socket.on('error', noOneWaits)
      const refuse = (why: Answer) => {
        socket.end(rawResponse(why))
        socket.resume()
      }
      const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
      const why = foreign(request.headers.host, request.headers.origin, doorway)
      if (why !== undefined) refuse(answer('not-allowed', why))
      else if (path.startsWith(paths.link('')))
        webSockets.open(path, request, socket, head).catch((error: unknown) => refuse(answerTo(error, options.log)))
      else if (path !== paths.links) refuse(answer('not-found', `nothing is upgraded at ${path}`))
      else if (request.headers.upgrade?.toLowerCase() !== linkProtocol)
        refuse(answer('usage', `a link needs an upgrade to ${linkProtocol}`, undefined, 426))
      else upgraded.open(socket, head)
    },
    leave: () => upgraded.leave(),
    close: () => webSockets.close(),
  }
}

/** A broken connection shows as the socket's close; without a listener the error would end the gateway. */
function noOneWaits(): void {}
