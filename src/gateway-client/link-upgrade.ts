/** Links over one socket that was upgraded from HTTP/1.1: a stream of it for each. */
import { type IncomingMessage, request as httpRequest } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { reasonOf } from '../base/errors.ts'
import { Multiplexer, StreamRefused, StreamUnanswered } from '../base/link/multiplexer.ts'
import { linkProtocol, type OpenLink, paths } from '../contract/api.ts'
import { type ErrorCode, hoopError } from '../contract/error-codes.ts'
import { textOf } from './answer-text.ts'
import { dial, placeOf, type Way } from './dial.ts'
import { refusedBy } from './refused.ts'
import { type OpenRequest, type Transport, TransportLost, TransportUnfit } from './transport.ts'

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

/** RFC 9110 section 7.8. Resolves with what came behind the answer. */
async function upgraded(way: Way, socket: Socket): Promise<Buffer> {
  const answer = await new Promise<IncomingMessage | Buffer>((resolve, reject) => {
    httpRequest({
      createConnection: () => socket,
      path: paths.links,
      headers: { host: way.gateway.host, connection: 'Upgrade', upgrade: linkProtocol },
    })
      .once('upgrade', (_response, _socket, head) => resolve(head))
      .once('response', resolve)
      .on('error', (error) => reject(new TransportUnfit(`${placeOf(way)} does not upgrade (${reasonOf(error)})`)))
      .end()
  })
  if (Buffer.isBuffer(answer)) return answer
  const status = answer.statusCode ?? 0
  const refusal = refusedBy(placeOf(way), status, await textOf(answer))
  if (!unfit.includes(refusal.code)) throw refusal
  throw new TransportUnfit(`${placeOf(way)} does not upgrade (${status})`, { cause: refusal })
}

/** Says only that this way of linking is not known; every other refusal is one of the gateway, or nobody is there. */
const unfit: readonly ErrorCode[] = ['usage', 'not-found', 'gateway-error']

async function openStream(link: Multiplexer, way: Way, request: OpenRequest): Promise<Duplex> {
  const { target, session, token, signal } = request
  const wish: OpenLink = { target, session, token }
  try {
    return await link.open(Buffer.from(JSON.stringify(wish)), answerWithinMs, signal)
  } catch (error) {
    if (signal?.aborted) throw hoopError('cancelled', 'gave up opening a connection', { cause: error })
    if (error instanceof StreamRefused) throw refusedBy(placeOf(way), error.status, error.body)
    if (error instanceof StreamUnanswered)
      throw new TransportUnfit(`no answer to a link within ${answerWithinMs / 1000} s`)
    throw new TransportLost(reasonOf(error), { cause: error })
  }
}
