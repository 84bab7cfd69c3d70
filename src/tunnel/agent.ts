/**
 * The local agent for one session: a port for each target, a link for each connection. It stays up when the gateway goes
 * away and comes back; when the gateway has forgotten the session, it starts another one and says so.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../base/errors.ts'
import { createScope } from '../base/scope.ts'
import type { CreateSession, Session, TargetInfo } from '../contract/api.ts'
import { type HoopError, hoopError, isHoopError } from '../contract/error-codes.ts'
import { clientConfig } from './client-config.ts'
import { listen } from './listener.ts'
import { passOpening } from './opening.ts'
import { createPeerCheck, type PeerCheck } from './peer.ts'
import { sayNo } from './say-no.ts'
import { splice } from './splice.ts'
import { writeKnownHosts } from './ssh-files.ts'
import { type SshTarget, sshTargetsOf } from './ssh-settings.ts'
import type { OpenTarget, Tunnel, TunnelOptions } from './tunnel.ts'

/** How long those who are connected have to read why the session was killed, before they are cut. */
const lastWordsMs = 3000
/** After what kept us from waiting for the session's end (no sign-in, say) has been told to no one. */
const waitAgainAfterMs = 60_000

/** Throws what the gateway says of the session (`not-found`, `not-allowed`, …), `port-in-use`, `gateway-unreachable`. */
export async function openTunnel(options: TunnelOptions): Promise<Tunnel> {
  const { client, link, signal, notify, patienceMs = 10_000 } = options
  if (options.port !== undefined && options.targets.length > 1)
    throw hoopError('usage', '--port is for one target; several are open here')
  signal.throwIfAborted()
  const wish: CreateSession = { targets: [...options.targets], reason: options.reason, agent: options.agent }
  const { infos, pinned } = await usable(options)
  if (pinned.length > 0) await writeKnownHosts(options.knownHosts, pinned)
  const peers = createPeerCheck()
  const scope = createScope()
  const sockets = new Set<Socket>()
  const over = new AbortController()
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  done.catch(() => {})
  let session: Session
  /** Aborted when it is time to look anew: the gateway is back, or the session is another one. */
  let looking = new AbortController()
  let renewing: Promise<void> | undefined

  /** Many connections find out at once that the session is gone; one new session is for all. */
  function renew(forgotten: string): Promise<void> {
    if (session.id !== forgotten) return Promise.resolve()
    renewing ??= client
      .startSession(wish)
      .then((fresh) => {
        session = fresh
        lookAnew()
        notify({ event: 'session', session, message: `session ${forgotten} had ended; it is now ${fresh.id}` })
      })
      .finally(() => {
        renewing = undefined
      })
    return renewing
  }

  /** Was this connection refused because the gateway has forgotten the session, or ended it for being idle? */
  async function isOver(id: string, refusal: unknown): Promise<boolean> {
    // Not found can mean the target, too: then starting a session says so.
    if (!isHoopError(refusal) || refusal.code !== 'conflict')
      return isHoopError(refusal) && refusal.code === 'not-found'
    // A conflict is also one connection too many, which a new session must not get around.
    return (await client.session(id)).ended !== null
  }

  async function open(target: TargetInfo, gone: AbortSignal) {
    const { id } = session
    const wait = { signal: AbortSignal.any([gone, over.signal]), patienceMs }
    try {
      return await link.open(target.name, id, wait)
    } catch (error) {
      if (!(await isOver(id, error))) throw error
      await renew(id)
      return link.open(target.name, session.id, wait)
    }
  }

  async function serve(target: TargetInfo, socket: Socket): Promise<void> {
    if (over.signal.aborted) {
      socket.destroy()
      return
    }
    sockets.add(socket)
    const gone = new AbortController()
    socket.once('close', () => {
      sockets.delete(socket)
      gone.abort(closedByClient)
    })
    const owner = peers.ownerOf(socket)
    const opened = open(target, gone.signal)
    const opening = opened.then((stream) => passOpening(target.protocol, socket, stream, owner))
    opening.catch(isToldBelow)
    try {
      if (await isOwn(socket, owner)) {
        await opening
        await splice(socket, await opened)
        return
      }
      gone.abort(closedByClient)
    } catch (error) {
      gone.abort(closedByClient)
      // A client is answered after its first words: they are there to be heard again.
      const passed = await opening.catch(isToldBelow)
      if (passed) socket.unshift(passed)
      turnAway(target, socket, error)
    }
    opened.then((stream) => stream.destroy(), isToldBelow)
  }

  /** False where nobody is there to be told: the process is gone already. Throws for another user's. */
  async function isOwn(socket: Socket, asked: ReturnType<PeerCheck['ownerOf']>): Promise<boolean> {
    const owner = await asked
    if (owner === 'foreign') throw hoopError('not-allowed', 'this port belongs to another user of this machine')
    // Fail closed.
    if (owner === 'unknown') socket.destroy()
    return owner === 'own'
  }

  function turnAway(target: TargetInfo, socket: Socket, thrown: unknown): void {
    if (socket.destroyed || over.signal.aborted) {
      socket.destroy()
      return
    }
    const error = isHoopError(thrown) ? thrown : hoopError('internal', reasonOf(thrown), { cause: thrown })
    // It may take a moment to hear it, also when all others are cut because the tunnel ends.
    sockets.delete(socket)
    sayNo(target.protocol, socket, { message: error.message, hint: error.hint })
    notify({ event: 'refused', message: `a connection to ${target.name} was refused: ${error.message}` })
    if (error.code === 'killed') close(error).catch(reject)
  }

  /**
   * A tunnel that nobody connects through hears of a kill all the same; and while we wait, the gateway knows that the
   * session's client is there. What goes wrong here, the next connection is told.
   */
  async function watch(): Promise<void> {
    while (!over.signal.aborted) {
      const { id } = session
      const signal = AbortSignal.any([over.signal, looking.signal])
      const end = await client.sessionEnd(id, { signal }).catch(isToldToTheNextConnection)
      if (end?.code === 'killed' && session.id === id) await close(hoopError('killed', end.message, { hint: end.next }))
      else await sleep(waitAgainAfterMs, undefined, { signal, ref: false }).catch(isOverThen)
    }
  }

  function lookAnew(): void {
    looking.abort()
    looking = new AbortController()
  }

  let closing: Promise<void> | undefined
  function close(why?: HoopError): Promise<void> {
    closing ??= (async () => {
      over.abort()
      const closed = scope.close()
      // A listener is closed once its connections are; the gateway ends those of a killed session, with its reason.
      if (why !== undefined) await Promise.race([allClosed(sockets), sleep(lastWordsMs, undefined, { ref: false })])
      for (const socket of sockets) socket.destroy()
      await closed
      // A gateway that cannot be reached ends the session by itself in time; leaving must not fail because of it.
      await client.endSession(session.id).catch(isEndedInTime)
    })().then(() => (why === undefined ? resolve() : reject(why)))
    return closing
  }

  session = await client.startSession(wish)
  try {
    await link.connect(signal)
    scope.defer(
      link.onEvent(({ event, message }) => {
        if (event !== 'connected') notify({ event, message })
        if (event === 'back') lookAnew()
      }),
    )
    const targets: OpenTarget[] = []
    for (const target of infos) {
      const accept = (socket: Socket) => void serve(target, socket)
      const { port, listening, instead } = await options.ports.claim(target.name, options.port, (candidate) =>
        listen({ port: candidate, ipv6: options.ipv6 ?? false, accept }),
      )
      scope.defer(() => listening.close())
      if (instead !== undefined)
        notify({ event: 'port', message: `port ${instead} of ${target.name} is taken; it has port ${port} this time` })
      targets.push({ target, port, ...clientConfig(target, port, options) })
    }
    const stop = () => void close().catch(reject)
    signal.addEventListener('abort', stop, { once: true })
    scope.defer(() => signal.removeEventListener('abort', stop))
    if (signal.aborted) stop()
    watch().catch(reject)
    return {
      get session() {
        return session
      },
      targets,
      done,
      close: () => close(),
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function allClosed(sockets: ReadonlySet<Socket>): Promise<void> {
  await Promise.all([...sockets].map((socket) => (socket.closed ? undefined : once(socket, 'close').catch(isOverThen))))
}

/** A reason of our own: the default one is an error with a stack, made for each connection that ends. */
const closedByClient = 'the client closed its connection'

function isToldBelow(): void {}

function isEndedInTime(): void {}

function isToldToTheNextConnection(): undefined {}

function isOverThen(): void {}

/** The targets as the gateway knows them; says at once, and for all of them, what cannot be used. */
async function usable({
  client,
  targets,
}: TunnelOptions): Promise<{ infos: readonly TargetInfo[]; pinned: readonly SshTarget[] }> {
  const known = await client.targets()
  const infos = targets.map((name) => {
    const target = known.find((one) => one.name === name)
    if (target === undefined)
      throw hoopError('not-found', `there is no target named "${name}"`, { hint: 'see "hoop targets"' })
    if (target.whyNot !== null) throw hoopError('not-allowed', `${name}: ${target.whyNot}`)
    return target
  })
  // With the others of the gateway, so that the file is the same whoever writes it.
  return { infos, pinned: infos.some(({ protocol }) => protocol === 'ssh') ? sshTargetsOf(known) : [] }
}
