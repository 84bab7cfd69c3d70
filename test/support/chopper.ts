/** A relay that cuts what a client says into pieces of some size: what the other side makes of it must be the same. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface Chopper {
  readonly port: number
  close(): Promise<void>
}

/** Answers come back as they are. */
export async function startChopper(to: number, size: number): Promise<Chopper> {
  const sockets = new Set<Socket>()
  const own = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    return socket
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    own(client)
    const door = own(connect({ host: '127.0.0.1', port: to, allowHalfOpen: true, noDelay: true }))
    door.pipe(client)
    void chop(client, door, size)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    async close() {
      for (const socket of sockets) socket.destroy()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    },
  }
}

async function chop(from: Socket, to: Socket, size: number): Promise<void> {
  try {
    for await (const chunk of from) {
      const bytes: Buffer = chunk
      for (let at = 0; at < bytes.length; at += size) {
        to.write(bytes.subarray(at, Math.min(at + size, bytes.length)))
        // A turn of its own for each piece, so that it arrives as one.
        await new Promise((resume) => setImmediate(resume))
      }
    }
    to.end()
  } catch {
    to.destroy()
  }
}
