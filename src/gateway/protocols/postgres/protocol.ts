/** The five methods of the protocol interface, over parts that are given: index.ts gives the real ones. */
import type { Duplex } from 'node:stream'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Abilities, Protocol } from '../protocol.ts'
import { type Client, greet } from './greeting.ts'
import { refusalResponse } from './refusals.ts'
import { type RelayParts, relay } from './relay.ts'
import { connectUpstream, type Upstream } from './upstream.ts'

/** As PostgreSQL's authentication_timeout. */
const greetTimeoutMs = 60_000
/** For a client to take a "no" and close. */
const refuseTimeoutMs = 2000

/** Known without making a protocol: the config is checked against them first. */
export const abilities: Abilities = { hold: true, maskColumns: true, maskText: true, maskFields: false }

export function createProtocol(parts: RelayParts): Protocol<Client, Upstream> {
  return {
    name: 'postgres',
    abilities,
    defaults: ({ user, databases: [database] }) => ({ user, ...(database !== undefined && { database }) }),
    greet: (socket: Duplex, signal) => greet(socket, signal, greetTimeoutMs),
    describe,
    connect: (target, credential, client, signal) =>
      connectUpstream({ target, credential, client, signal, timeoutMs: parts.connectTimeoutMs }),
    relay: (client, upstream, conversation) => relay(parts, client, upstream, conversation),
    refuse,
  }
}

function describe(client: Client): string | null {
  if (client.kind === 'cancel') return 'a request to cancel'
  const application = client.options.find(([name]) => name.toString() === 'application_name')?.[1]
  const said = [
    client.database === undefined ? undefined : `database ${client.database.toString()}`,
    application === undefined ? undefined : `application ${application.toString()}`,
  ].filter((part) => part !== undefined)
  return said.length === 0 ? null : said.join(', ')
}

async function refuse(client: Client, refusal: Refusal): Promise<void> {
  if (client.kind === 'startup') {
    // "database does not exist", "too many clients": the server's own words are the true ones.
    const own = refusal.code === 'target-refused' ? client.farewell : undefined
    client.outlet.add(own ?? refusalResponse(refusal, 'FATAL'))
  }
  const timer = setTimeout(() => client.outlet.destroy(), refuseTimeoutMs)
  await client.outlet.end()
  // Closing with unread bytes in hand would reset the link under the answer.
  while ((await client.intake.next()) !== undefined);
  clearTimeout(timer)
  client.outlet.destroy()
}
