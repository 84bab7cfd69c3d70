/** A local port whose connections go over the gateway's link, as `hoop connect` opens one: for clients that speak TCP. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { paths, sessionSchema } from '../../src/contract/api.ts'
import { createLink } from '../../src/gateway-client/link.ts'

export interface LinkDoor {
  readonly port: number
  readonly session: string
  close(): void
}

export async function openLinkDoor(gateway: string, token: string, target: string): Promise<LinkDoor> {
  const session = await openSession(gateway, token, target)
  const link = createLink({ gateway, token: async () => token })
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    link.open(target, session).then(
      (stream) => Promise.all([pipeline(socket, stream), pipeline(stream, socket)]).catch(() => {}),
      () => socket.destroy(),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the door has no port')
  return {
    port: address.port,
    session,
    close() {
      link.close()
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function openSession(gateway: string, token: string, target: string): Promise<string> {
  const answer = await fetch(gateway + paths.sessions, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ targets: [target], reason: null, agent: null }),
  })
  if (!answer.ok) throw new Error(`no session: ${await answer.text()}`)
  return sessionSchema.parse(await answer.json()).id
}
