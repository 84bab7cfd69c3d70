/** A server program for each connection, as inetd starts one: the scripts' second sshd, whose configuration they rewrite. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

export interface Inetd {
  readonly port: number
  close(): Promise<void>
}

export async function startInetd(program: string, args: readonly string[]): Promise<Inetd> {
  const open = new Set<Socket>()
  // Not read by us: the connection is handed on as it is.
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    open.add(socket)
    const child = spawn(program, args, { stdio: [socket, socket, 'ignore'] })
    child.on('error', () => socket.destroy())
    child.on('spawn', () => socket.destroy())
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1')
  return {
    port: address.port,
    async close() {
      server.close()
      for (const socket of open) socket.destroy()
      await once(server, 'close')
    },
  }
}
