/**
 * The smallest honest protocol: a line is a command, its first word the verb, its second the object; the target answers
 * each line with one line. For tests of what stands above protocols. `!` lines are pushed by the gateway.
 */
import { connect as dial, createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'
import { once } from 'node:events'
import { hoopError } from '../../src/contract/error-codes.ts'
import { command } from './commands.ts'
import type { Kind } from '../../src/contract/command.ts'
import type { Protocol } from '../../src/gateway/protocols/protocol.ts'

type Lines = AsyncIterator<string> & { close(): void }

interface LineClient {
  readonly socket: Duplex
  readonly lines: Lines
  readonly name: string
}

const kinds: Record<string, Kind> = { get: 'read', put: 'write', drop: 'ddl', halt: 'admin' }

export const lineProtocol: Protocol<LineClient, Socket> = {
  name: 'postgres',
  abilities: { hold: true, maskColumns: true, maskText: true, maskFields: true },

  defaults: ({ user, databases: [database] }) => ({ user, ...(database !== undefined && { database }) }),

  async greet(socket, signal) {
    const stop = () => socket.destroy()
    signal.addEventListener('abort', stop)
    const lines = linesOf(socket)
    const { value, done } = await lines.next()
    signal.removeEventListener('abort', stop)
    if (done === true || !value.startsWith('hello ')) {
      socket.end('! say hello\n')
      throw hoopError('protocol-error', 'the client did not say hello')
    }
    return { socket, lines, name: value.slice(6) }
  },

  describe: ({ name }) => `client ${name}`,

  async connect({ host, port, name }, { secret }, client, signal) {
    if (client.name === 'elsewhere') throw hoopError('not-allowed', `target "${name}" does not open elsewhere`)
    const upstream = dial({ host, port, signal })
    upstream.on('error', () => undefined)
    try {
      await once(upstream, 'connect')
    } catch (cause) {
      throw hoopError('target-unreachable', `cannot reach "${name}"`, { cause })
    }
    upstream.write(`login ${secret?.reveal() ?? ''}\n`)
    return upstream
  },

  async relay({ socket, lines }, upstream, { checkpoint, signal }) {
    const answers = linesOf(upstream)
    const stop = () => {
      socket.end('! ended by the gateway\n')
      upstream.destroy()
      lines.close()
      answers.close()
    }
    signal.addEventListener('abort', stop)
    socket.write('ready\n')
    const gone = new AbortController()
    socket.on('close', () => gone.abort())
    try {
      for (;;) {
        const { value: line, done } = await lines.next()
        if (done === true || signal.aborted) return
        const [verb = '', object = ''] = line.split(' ')
        const asked = command({ text: line, actions: [{ verb, kind: kinds[verb] ?? 'admin', objects: [object] }] })
        const clearance = await checkpoint.clear([asked], {
          signal: gone.signal,
          onHold: ({ approval }) => socket.write(`! held ${approval}\n`),
        })
        if ('refusal' in clearance) {
          if (!signal.aborted) socket.write(`! ${clearance.refusal.code}\n`)
          continue
        }
        const [permit] = clearance.permits
        if (permit === undefined) throw new Error('no permit')
        upstream.write(`${line}\n`)
        const answer = await answers.next()
        if (answer.done === true) return
        checkpoint.settle(permit, { status: 'done', rows: 1 })
        socket.write(`${answer.value}\n`)
      }
    } finally {
      signal.removeEventListener('abort', stop)
      upstream.destroy()
      socket.end()
    }
  },

  async refuse({ socket }, { code }) {
    socket.end(`! ${code}\n`)
  },
}

function linesOf(input: Duplex): Lines {
  const reader = createInterface({ input })
  // A reader does not end by itself when its stream is destroyed.
  input.once('close', () => reader.close())
  return Object.assign(reader[Symbol.asyncIterator](), { close: () => reader.close() })
}

/** A target that answers each line with `ok LINE`, and never answers `stall`. Remembers what it heard. */
export async function startLineTarget(): Promise<{
  port: number
  heard: string[]
  server: Server
  stop(): Promise<void>
}> {
  const heard: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    createInterface({ input: socket }).on('line', (line) => {
      heard.push(line)
      if (!line.startsWith('login') && !line.includes('stall')) socket.write(`ok ${line}\n`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    heard,
    server,
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
