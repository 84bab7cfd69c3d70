/** A local port: loopback only, half-open allowed, only for processes of the same user. What comes of a connection is the agent's business. */
import { createServer, type Server, type Socket } from 'node:net'

export interface Listener {
  /** Stops listening; connections that are open stay. */
  close(): Promise<void>
}

export interface ListenerOptions {
  readonly port: number
  /** Listen on ::1 too. */
  readonly ipv6: boolean
  /** Given paused, with an error listener: nothing of it has been read. */
  readonly accept: (socket: Socket) => void
}

/** Rejects with the system's error (`EADDRINUSE`) when the port cannot be had. */
export async function listen({ port, ipv6, accept }: ListenerOptions): Promise<Listener> {
  const servers: Server[] = []
  try {
    servers.push(await bind('127.0.0.1', port, accept))
    if (ipv6) servers.push(await bind('::1', port, accept))
  } catch (error) {
    await closeAll(servers)
    throw error
  }
  return { close: () => closeAll(servers) }
}

function bind(host: string, port: number, accept: (socket: Socket) => void): Promise<Server> {
  const options = { allowHalfOpen: true, noDelay: true, keepAlive: true, pauseOnConnect: true }
  const server = createServer(options, (socket) => {
    socket.on('error', isSeenAsClose)
    accept(socket)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject)
      // Accepting can fail for a moment (too many open files); the port stays.
      server.on('error', isSeenAsClose)
      resolve(server)
    })
  })
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))))
}

/** Every error of a socket is followed by its close, which is what others look at. */
function isSeenAsClose(): void {}
