/** Links over one upgraded socket, a stream for each connection. The token is looked at for each of them. */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Multiplexer } from '../../base/link/multiplexer.ts'
import type { LinkStream } from '../../base/link/stream.ts'
import { type OpenLink, openLinkSchema } from '../../contract/api.ts'
import { hoopError } from '../../contract/error-codes.ts'
import { linkProtocol } from '../../contract/link.ts'
import { answerTo } from './answers.ts'
import { admissionTo, codeOf, finish, type LinksOptions, type Verify } from './link-admission.ts'

export interface UpgradeLinks {
  /** The socket of a request to upgrade that may. */
  open(socket: Socket, head: Buffer): void
  /** No new streams on the links that are open; each is closed when its last stream is over. */
  leave(): void
}

const pingEveryMs = 30_000
const pongWithinMs = 20_000
const mostStreams = 10_000

const switching = `HTTP/1.1 101 ${STATUS_CODES[101]}\r\nconnection: Upgrade\r\nupgrade: ${linkProtocol}\r\n\r\n`

export function createUpgradeLinks({ sessions, metrics, log }: LinksOptions, verify: Verify): UpgradeLinks {
  const links = new Set<Multiplexer>()

  async function serve(link: Multiplexer, stream: LinkStream, wish: Buffer, address: string | undefined) {
    try {
      if (link.streams > mostStreams)
        throw hoopError('conflict', `this link has ${mostStreams} connections, which is the most it may have`)
      const { target, session, start, token } = wished(wish)
      const caller = await verify(token === undefined ? undefined : `Bearer ${token}`, address)
      const admission = await admissionTo(sessions, caller, target, { session, start, needed: 'a session' })
      if (stream.destroyed) return await admission.decline()
      metrics.link('upgrade', 'open')
      link.accept(stream)
      await admission.run(stream)
      finish(stream, () => stream.takeNoMore())
    } catch (error) {
      metrics.link('upgrade', codeOf(error))
      const { status, body } = answerTo(error, log)
      link.refuse(stream, status, JSON.stringify(body))
      stream.destroy()
    }
  }

  return {
    open(socket, head) {
      socket.write(switching)
      const address = socket.remoteAddress
      const link = new Multiplexer(socket, {
        head,
        pingEveryMs,
        pongWithinMs,
        onOpen: (stream, wish) => void serve(link, stream, wish, address),
      })
      links.add(link)
      void link.over.then(({ reason, violation }) => {
        links.delete(link)
        if (violation) log.warn({ address, reason }, 'a link was cut: its client does not keep to what was agreed')
      })
    },
    leave() {
      for (const link of links) link.leave('the gateway is going away')
    },
  }
}

function wished(bytes: Buffer): OpenLink {
  const wish = openLinkSchema.safeParse(jsonIn(bytes))
  if (!wish.success) throw hoopError('usage', 'what the link is for cannot be read', { cause: wish.error })
  return wish.data
}

function jsonIn(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}
