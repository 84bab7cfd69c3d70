/**
 * Forwards. `-L`, `-D`, `-W`: every connection that the client has the target make is a command. `-R`: the port to listen
 * on is the command, and what connects there belongs to it. What the target's settings do not name is refused whatever the
 * rules say.
 */
import type { Duplex } from 'node:stream'
import type { Channel } from 'ssh2'
import { reasonOf } from '../../../../base/errors.ts'
import type { Command } from '../../../../contract/command.ts'
import type { Clearance, Permit } from '../../../checkpoint.ts'
import type { ForwardAsked, ListenAsked } from '../asked.ts'
import { forwardCommand, reverseForwardCommand } from '../commands.ts'
import { openFailures } from '../inside.ts'
import type { ChannelParts, Connections } from './channel.ts'
import { pour } from './pour.ts'
import { createSink } from './sink.ts'

export async function relayForward(asked: ForwardAsked, connections: Connections, parts: ChannelParts): Promise<void> {
  const { srcIP, srcPort, destIP, destPort } = asked.to
  const clearance = await clear(forwardCommand(destIP, destPort), 'local', parts)
  if ('refusal' in clearance) {
    const { message, next } = clearance.refusal
    return asked.reject(openFailures.prohibited, `hoop: ${message}; next: ${next}`)
  }
  const permit = permitOf(clearance)
  let target: Channel
  try {
    const from = { host: srcIP, port: srcPort }
    target = await connections.upstream.forward(permit, from, { host: destIP, port: destPort })
  } catch (error) {
    parts.checkpoint.settle(permit, { status: 'failed', error: { code: 'not-connected', message: reasonOf(error) } })
    return asked.reject(openFailures.connectFailed, `hoop: the target did not connect: ${reasonOf(error)}`)
  }
  const client = asked.accept()
  const moved = await join(client, target, connections, parts.signal)
  parts.checkpoint.settle(permit, { status: 'done', ...moved })
}

/** Ports at the target that this connection's client has been given, by what it asked for. */
export interface Listeners {
  listen(asked: ListenAsked, parts: ChannelParts): Promise<void>
  /** Takes a port back: the client's own wish needs no leave. */
  unlisten(asked: ListenAsked): void
  /** The connection is over. */
  close(): void
}

interface Listening {
  readonly permit: Permit
  readonly parts: ChannelParts
  bytesIn: number
  bytesOut: number
}

export function createListeners(connections: Connections): Listeners {
  const { client, upstream } = connections
  const open = new Map<string, Listening>()
  const nameOf = (host: string, port: number) => `${host}:${port}`

  upstream.connection.on('tcp connection', (details, accept, reject) => {
    const listening = open.get(nameOf(details.destIP, details.destPort))
    if (listening === undefined) return reject()
    client.connection.forwardOut(details.destIP, details.destPort, details.srcIP, details.srcPort, (error, channel) => {
      if (error !== undefined) return reject()
      void hand(listening, channel, accept())
    })
  })

  async function hand(listening: Listening, channel: Channel, target: Channel): Promise<void> {
    const moved = await join(channel, target, connections, listening.parts.signal)
    listening.bytesIn += moved.bytesIn
    listening.bytesOut += moved.bytesOut
  }

  function settle(name: string): void {
    const listening = open.get(name)
    if (listening === undefined) return
    open.delete(name)
    const { permit, parts, bytesIn, bytesOut } = listening
    parts.checkpoint.settle(permit, { status: 'done', bytesIn, bytesOut })
  }

  return {
    async listen({ at, accept, reject }, parts) {
      const { bindAddr, bindPort } = at
      const clearance = await clear(reverseForwardCommand(bindAddr, bindPort), 'remote', parts)
      // The protocol has no words for a client whose port is refused.
      if ('refusal' in clearance) return reject()
      const permit = permitOf(clearance)
      await new Promise<void>((resolve) => {
        parts.signal.addEventListener('abort', () => resolve(), { once: true })
        upstream.connection.forwardIn(bindAddr, bindPort, (error, port) => {
          if (error != null) {
            parts.checkpoint.settle(permit, {
              status: 'failed',
              error: { code: 'not-bound', message: reasonOf(error) },
            })
            reject()
          } else {
            open.set(nameOf(bindAddr, port), { permit, parts, bytesIn: 0, bytesOut: 0 })
            accept(port)
          }
          resolve()
        })
      })
    },
    unlisten({ at: { bindAddr, bindPort }, accept, reject }) {
      const name = nameOf(bindAddr, bindPort)
      if (!open.has(name)) return reject()
      upstream.connection.unforwardIn(bindAddr, bindPort, (error) => (error == null ? accept() : reject()))
      settle(name)
    },
    close() {
      for (const name of [...open.keys()]) settle(name)
    },
  }
}

async function clear(
  command: Command,
  kind: 'local' | 'remote',
  { checkpoint, settings, signal }: ChannelParts,
): Promise<Clearance> {
  if (settings.forwards.includes(kind)) return checkpoint.clear([command], { signal })
  const option = kind === 'local' ? '-L, -D and -W' : '-R'
  return {
    refusal: await checkpoint.refuse([command], `this target is not open for forwards of this kind (${option})`),
  }
}

function permitOf({ permits: [permit] }: Extract<Clearance, { permits: unknown }>): Permit {
  if (permit === undefined) throw new Error('no permit')
  return permit
}

/** Both ways until both have ended; each way ends by itself. `bytesIn` is what went to the target. */
async function join(
  client: Channel,
  target: Channel,
  { client: { socket }, upstream }: Connections,
  signal: AbortSignal,
): Promise<{ bytesIn: number; bytesOut: number }> {
  // An end that has closed takes nothing any more; what it gave before still goes to the other.
  const [clientGone, targetGone] = [goneWith(client, signal), goneWith(target, signal)]
  const toTarget = createSink(target, upstream.socket, targetGone)
  const toClient = createSink(client, socket, clientGone)
  const inward = pour(client, toTarget, target, targetGone)
  const outward = pour(target, toClient, client, clientGone)
  await Promise.all([
    inward.ended.then(() => toTarget.flushed()).then(() => target.eof()),
    outward.ended.then(() => toClient.flushed()).then(() => client.eof()),
  ])
  for (const end of [client, target] satisfies Duplex[]) {
    end.close()
    end.resume()
  }
  return { bytesIn: inward.bytes, bytesOut: outward.bytes }
}

function goneWith(end: Channel, signal: AbortSignal): AbortSignal {
  const gone = new AbortController()
  for (const event of ['error', 'close']) end.on(event, () => gone.abort())
  return AbortSignal.any([signal, gone.signal])
}
