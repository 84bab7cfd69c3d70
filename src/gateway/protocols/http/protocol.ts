/** The methods of the protocol interface, for one dialect of HTTP, over parts that are given. */
import { hoopError } from '../../../contract/error-codes.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Abilities, Credential, Protocol, Target } from '../protocol.ts'
import { closeClient } from './closing.ts'
import type { Dialect, Upstream } from './exchange.ts'
import { type Client, greet } from './greeting.ts'
import { foreignOf } from './hosts.ts'
import { Malformed } from './malformed.ts'
import { notUnderstood } from './refusals.ts'
import { relay } from './relay.ts'
import type { RelayParts } from './talk.ts'

export interface ProtocolParts extends RelayParts {
  readonly abilities: Abilities
  /** Throws a HoopError `target-refused` for a credential that cannot be one; the target itself is dialled for a request. */
  open(target: Target, credential: Credential): Upstream
}

/** For a client that is refused before its first request to say one, and to take the answer. */
const refuseTimeoutMs = 2000

export function createProtocol(parts: ProtocolParts): Protocol<Client, Upstream> {
  return {
    name: parts.dialect.protocol,
    abilities: parts.abilities,
    defaults: () => ({}),
    greet: async (socket) => greet(socket),
    describe: () => null,
    connect: async (target, credential) => parts.open(target, credential),
    relay: (client, upstream, conversation) => relay(parts, client, upstream, conversation),
    refuse: (client, refusal) => refuse(parts.dialect, client, refusal),
  }
}

/** An answer needs a question: it is said to the first request, and ends the connection. */
export async function refuse(dialect: Pick<Dialect, 'refusal'>, client: Client, refusal: Refusal): Promise<void> {
  const { writer, incoming } = client
  const late = AbortSignal.timeout(refuseTimeoutMs)
  late.addEventListener('abort', () => client.socket.destroy(), { once: true })
  try {
    const read = await incoming.head()
    if (read === undefined) return
    const { request, version } = read
    writer.expect({ method: request.method, version, keepAlive: false, takesTrailers: false })
    const foreign = foreignOf(read.host, request.fields)
    const told = foreign === undefined ? refusal : notUnderstood(foreign)
    writer.own(dialect.refusal(told, request, foreign === undefined ? undefined : 403))
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    writer.own(dialect.refusal(notUnderstood(error.message), undefined, error.status))
    throw hoopError('protocol-error', `the client broke the rules of HTTP: ${error.message}`, { cause: error })
  } finally {
    await closeClient(client, late)
  }
}
