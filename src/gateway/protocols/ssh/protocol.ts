/** The methods of the protocol interface, over parts that are given: index.ts gives the real ones. */
import type { Refusal } from '../../../contract/refusal.ts'
import type { Abilities, Protocol } from '../protocol.ts'
import { brokenStatus, refusalLines } from '../terminal/refusals.ts'
import type { Asked } from './asked.ts'
import { close, tell } from './channels/said.ts'
import { createSink } from './channels/sink.ts'
import { type Client, greet } from './greeting.ts'
import { publicKeyOf, type TargetKeys } from './host-keys.ts'
import { openFailures } from './inside.ts'
import { type RelayParts, relay } from './relay.ts'
import { connectUpstream, type Upstream } from './upstream.ts'

/** Known without making a protocol: the config is checked against them first. */
export const abilities: Abilities = { hold: true, maskColumns: false, maskText: true, maskFields: false }

export interface ProtocolParts extends RelayParts {
  /** The gateway's own, private. */
  readonly hostKey: string
  readonly targetKeys: TargetKeys
  readonly connectTimeoutMs: number
}

/** A client that is refused has this long to open a channel, on which it can be told on stderr. */
const firstChannelMs = 1500
/** For a client to take a "no" and close. */
const refuseTimeoutMs = 2000

export function createProtocol(parts: ProtocolParts): Protocol<Client, Upstream> {
  const { clock, hostKey, targetKeys: taken, connectTimeoutMs: timeoutMs } = parts
  const publicKey = publicKeyOf(hostKey)
  return {
    name: 'ssh',
    abilities,
    defaults: ({ user }) => ({ user, hostKey: publicKey }),
    greet: (socket, signal) => greet(socket, hostKey, signal),
    describe: ({ software }) => `client ${software}`,
    connect: (target, credential, _client, signal) =>
      connectUpstream({ target, credential, taken, now: clock.now(), signal, timeoutMs }),
    relay: (client, upstream, conversation) => relay(parts, client, upstream, conversation),
    refuse,
  }
}

/** On stderr of the first channel, with OpenSSH's own exit status for "no connection"; where none comes, as a disconnect. */
async function refuse(client: Client, refusal: Refusal): Promise<void> {
  const told = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), firstChannelMs)
    client.gone.addEventListener('abort', () => resolve(false), { once: true })
    client.asked.take((asked) => {
      void say(client, asked, refusal).then((hasHeard) => {
        if (!hasHeard) return
        clearTimeout(timer)
        resolve(true)
      })
    })
  })
  // OpenSSH's client, told to disconnect, drops what it has not shown yet: whoever was told on a channel leaves by itself.
  if (await told) await closed(client)
  client.end(refusal.message)
  await closed(client)
  client.socket.destroy()
}

/** Waits until the client has closed, but not for ever. */
function closed({ socket }: Client): Promise<void> {
  if (socket.closed) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, refuseTimeoutMs)
    socket.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

async function say(client: Client, asked: Asked, refusal: Refusal): Promise<boolean> {
  if (!('channel' in asked)) {
    if (asked.kind === 'forward') asked.reject(openFailures.prohibited, `hoop: ${refusal.message}`)
    else asked.reject()
    return false
  }
  const sink = createSink(asked.channel, client.socket, asked.gone)
  tell(asked, sink, refusalLines(refusal))
  await close(asked, sink, { status: brokenStatus })
  return true
}
