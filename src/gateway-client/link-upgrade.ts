/** Links over one socket that was upgraded from HTTP/1.1: a stream of it for each. */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { reasonOf } from '../base/errors.ts'
import { Multiplexer, StreamRefused, StreamUnanswered } from '../base/link/multiplexer.ts'
import type { OpenLink } from '../contract/api.ts'
import { type ErrorCode, type HoopError, hoopError } from '../contract/error-codes.ts'
import { linkPaths, linkProtocol } from '../contract/link.ts'
import { dial, placeOf, type Way } from './dial.ts'
import { type OpenRequest, type Transport, TransportLost, TransportUnfit } from './transport.ts'
import { askUpgrade } from './upgrade-request.ts'

const pingEveryMs = 15_000
const pongWithinMs = 10_000
/** How long the gateway may take to say yes or no; it has to look at a token and a session, not at the target. */
const answerWithinMs = 15_000

/** Throws `gateway-unreachable`, what the gateway refuses, or `TransportUnfit` where something does not pass the upgrade. */
export async function connectUpgrade(way: Way, signal?: AbortSignal): Promise<Transport> {
  const socket = await dial(way, ['http/1.1'], signal)
  const giveUp = () => socket.destroy(new Error('gave up'))
  const late = setTimeout(() => socket.destroy(new Error('no answer in time')), way.timeoutMs)
  signal?.addEventListener('abort', giveUp, { once: true })
  if (signal?.aborted) giveUp()
  try {
    const head = await upgraded(way, socket)
    const link = new Multiplexer(socket, { head, pingEveryMs, pongWithinMs })
    // Whoever answers an upgrade need not pass what follows.
    await link.reach().catch((error: unknown) => {
      throw new TransportUnfit(`${placeOf(way)} does not pass a link (${reasonOf(error)})`)
    })
    return transportOver(link, way)
  } catch (error) {
    socket.destroy()
    if (signal?.aborted) throw hoopError('cancelled', `gave up connecting to ${placeOf(way)}`, { cause: error })
    throw error
  } finally {
    clearTimeout(late)
    signal?.removeEventListener('abort', giveUp)
  }
}

function transportOver(link: Multiplexer, way: Way): Transport {
  return {
    kind: 'upgrade',
    open: (request) => openStream(link, way, request),
    lost: link.lost,
    over: link.over.then(() => undefined),
    close: () => link.destroy('the link was closed'),
  }
}

/** Resolves with what came behind the answer. */
async function upgraded(way: Way, socket: Socket): Promise<Buffer> {
  const request = { host: way.gateway.host, path: linkPaths.links, protocol: linkProtocol }
  const { status, rest } = await askUpgrade(socket, request).catch((error: unknown) => {
    throw new TransportUnfit(`${placeOf(way)} does not upgrade (${reasonOf(error)})`)
  })
  if (status === 101) return rest
  const refusal = await refused(way, status, rest.toString())
  if (!unfit.includes(refusal.code)) throw refusal
  throw new TransportUnfit(`${placeOf(way)} does not upgrade (${status})`, { cause: refusal })
}

/** The schemas of an answer are loaded when there is one to read. */
async function refused(way: Way, status: number, body: string): Promise<HoopError> {
  const { refusedBy } = await import('./refused.ts')
  return refusedBy(placeOf(way), status, body)
}

/** Says only that this way of linking is not known; every other refusal is one of the gateway, or nobody is there. */
const unfit: readonly ErrorCode[] = ['usage', 'not-found', 'gateway-error']

async function openStream(link: Multiplexer, way: Way, request: OpenRequest): Promise<Duplex> {
  const { target, session, token, signal } = request
  const wish: OpenLink = { target, token, ...(typeof session === 'string' ? { session } : { start: session }) }
  try {
    return await link.open(Buffer.from(JSON.stringify(wish)), answerWithinMs, signal)
  } catch (error) {
    if (signal?.aborted) throw hoopError('cancelled', 'gave up opening a connection', { cause: error })
    if (error instanceof StreamRefused) throw await refused(way, error.status, error.body)
    if (error instanceof StreamUnanswered)
      throw new TransportUnfit(`no answer to a link within ${answerWithinMs / 1000} s`)
    throw new TransportLost(reasonOf(error), { cause: error })
  }
}
