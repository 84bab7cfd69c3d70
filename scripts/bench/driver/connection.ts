/** A logged-in connection of the driver: one thing at a time is asked of it, and whoever asks is told when it is ready. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { createLink, type Link } from '../../../src/gateway-client/link.ts'
import { createScram, type Scram } from '../../../src/gateway/protocols/postgres/scram.ts'
import type { Reach } from './jobs.ts'
import { createWalk, errorIn, query, saslFirst, saslNext, startup, terminate, types } from './wire.ts'

export interface Connection {
  /** Says when ReadyForQuery arrives, without a promise: this is called for every transaction. */
  onReady: () => void
  /** The server wants COPY's data. */
  onCopyIn: () => void
  onError: (error: Error) => void
  /** Of everything that arrived so far. */
  bytes(): number
  send(bytes: Buffer): boolean
  drained(): Promise<void>
  /** Sends, and waits for ReadyForQuery. */
  ask(bytes: Buffer): Promise<void>
  close(): Promise<void>
}

/** As `hoop connect` does, one link carries all connections to a gateway. */
const links = new Map<string, Link>()

export function closeLinks(): void {
  for (const link of links.values()) link.close()
  links.clear()
}

export async function openConnection(reach: Reach): Promise<Connection> {
  const stream = await open(reach)
  const connection = converse(stream)
  const ready = readiness(connection)
  const logIn = reach.kind === 'tcp' ? logInWith(reach.password) : logInWith(undefined)
  connection.onAuthentication = (body) => {
    logIn(body).then(
      (answer) => answer !== undefined && connection.send(answer),
      (error: Error) => connection.onError(error),
    )
  }
  connection.send(startup({ user: reach.user, database: reach.database, application_name: 'bench' }))
  await ready
  return connection
}

async function open(reach: Reach): Promise<Duplex> {
  if (reach.kind === 'link') {
    const { gateway, token, target, session } = reach
    const link = links.get(gateway) ?? createLink({ gateway, token: async () => token })
    links.set(gateway, link)
    return link.open(target, session)
  }
  const socket = connect({ host: '127.0.0.1', port: reach.port, noDelay: true })
  await once(socket, 'connect')
  return socket
}

interface Conversation extends Connection {
  onAuthentication: (body: Buffer) => void
}

function converse(stream: Duplex): Conversation {
  let arrived = 0
  let closing = false
  const conversation: Conversation = {
    onReady: ignore,
    onCopyIn: ignore,
    onError: ignore,
    onAuthentication: ignore,
    bytes: () => arrived,
    send: (bytes) => stream.write(bytes),
    drained: async () => {
      await once(stream, 'drain')
    },
    ask(bytes) {
      const ready = readiness(conversation)
      stream.write(bytes)
      return ready
    },
    async close() {
      closing = true
      if (stream.destroyed) return
      const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()))
      stream.end(terminate)
      stream.resume()
      await closed
    },
  }
  const walk = createWalk((type, body) => {
    if (type === types.readyForQuery) conversation.onReady()
    else if (type === types.authentication) conversation.onAuthentication(body)
    else if (type === types.copyInResponse) conversation.onCopyIn()
    else if (type === types.error) conversation.onError(new Error(errorIn(body)))
  })
  stream.on('data', (chunk: Buffer) => {
    arrived += chunk.length
    walk(chunk)
  })
  stream.on('error', (error) => {
    if (!closing) conversation.onError(error)
  })
  stream.on('end', () => {
    if (!closing) conversation.onError(new Error('the connection was closed from the other side'))
  })
  return conversation
}

/** The next ReadyForQuery; rejects with the server's words if an error comes before it. */
function readiness(connection: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.onReady = resolve
    connection.onError = reject
  })
}

/** Answers the server's authentication requests: none, or SCRAM. */
function logInWith(password: string | undefined): (body: Buffer) => Promise<Buffer | undefined> {
  let scram: Scram | undefined
  return async (body) => {
    const code = body.readInt32BE(0)
    const data = body.toString('utf8', 4)
    if (code === 0) return undefined
    if (code === 10) {
      const mechanisms = data.split('\0').filter((name) => name !== '')
      scram = createScram({ mechanisms, nonce: randomBytes(18).toString('base64'), certificate: undefined })
      return saslFirst(scram.mechanism, scram.first)
    }
    if (scram === undefined || password === undefined) throw new Error(`the server asks for a login of kind ${code}`)
    if (code === 11) return saslNext(await scram.answer(data, password))
    scram.check(data)
    return undefined
  }
}

/** What a connection asks once, so that it counts as used: of a table, because a proxy may have to find out about that. */
export const oneQuestion = query('SELECT name FROM customers WHERE id = 1')

function ignore(): void {}
