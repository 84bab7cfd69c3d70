/** One request from its head to the end of its answer. The order of the steps stands here. */
import type { Refusal } from '../../../contract/refusal.ts'
import type { Clearance } from '../../checkpoint.ts'
import { decode, readBody, restOf } from './bodies.ts'
import { CollectedAnswer } from './collected-answer.ts'
import type { Cleared, Outgoing, OwnAnswer, Request, RequestHead } from './exchange.ts'
import { foreignOf } from './hosts.ts'
import { explained, notUnderstood } from './refusals.ts'
import type { ReadHead } from './request-head.ts'
import { accepted, clearOrHold, isOwnPath, openSlot, polled, prefersAsync } from './respond-async.ts'
import { Run } from './run.ts'
import type { Sink } from './sink.ts'
import type { Talk } from './talk.ts'

/** So much of a body that nobody wants is read for the sake of a connection that can be used again. */
const worthDroppingBytes = 1024 * 1024

/** A request as far as it was read, and what is to be sent of it. */
interface Received {
  readonly request: Request
  /** The body as it came, or its beginning where `whole` is false. */
  readonly bytes: Buffer | undefined
  readonly whole: boolean
  /** The client's Host. */
  readonly host: string
}

/** Resolves to whether the connection goes on. Throws Malformed, and a HoopError `cancelled` where the client has left. */
export async function serve(talk: Talk, read: ReadHead): Promise<boolean> {
  const { parts, client, upstream } = talk
  const { dialect } = parts
  const { request: head, version, keepAlive, takesTrailers } = read
  client.writer.expect({ method: head.method, version, keepAlive, takesTrailers })
  talk.underway = elsewhere

  const foreign = foreignOf(read.host, head.fields)
  if (foreign !== undefined) {
    client.writer.lastOne = true
    const refusal = notUnderstood(foreign, 'use the address that hoop printed, from a program and not from a web page')
    return await own(talk, read, dialect.refusal(refusal, head, 403))
  }
  if (isOwnPath(head)) return await own(talk, read, polled(talk, head))

  const isAsync = prefersAsync(head)
  const received = await receive(talk, read, isAsync)
  const { request } = received
  const command = dialect.command(request, upstream.target)

  const unsendable = dialect.unsendable(request, upstream.target)
  if (unsendable !== undefined) {
    const refusal = await talk.conversation.checkpoint.refuse([command], unsendable)
    return await own(talk, read, dialect.refusal(refusal, head))
  }
  if (!isAsync || !received.whole) return await goOn(talk, read, received, command, await clear(talk, command))

  const first = await clearOrHold(talk, command)
  if ('clearance' in first) return await goOn(talk, read, received, command, first.clearance)
  const slot = openSlot(talk, first.hold)
  if (slot === undefined) return await goOn(talk, read, received, command, await first.clearing)
  talk.endings.push(
    first.clearing
      .then((clearance) => answerApart(talk, received, command, clearance))
      .catch(() => dialect.refusal(failedApart, head))
      .then((answer) => slot.answer(answer)),
  )
  return await own(talk, read, accepted(first.hold))
}

/** The checkpoint hears of the end by itself, and so does whoever relays an upgraded connection. */
const elsewhere: Talk['underway'] = { kill: ignore, cancel: ignore }

/** Reads the body where it has to be known. */
async function receive(talk: Talk, read: ReadHead, isAsync: boolean): Promise<Received> {
  const { parts, client } = talk
  const { request: head } = read
  // Only an HTTP/1.0 client may leave it out; it has found its way here all the same.
  const host = read.host ?? 'localhost'
  const isNeeded = parts.dialect.needsBody(head)
  if (head.body === 'none')
    return { request: { head, body: isNeeded ? nothing : undefined }, bytes: undefined, whole: true, host }
  if (!isNeeded && !isAsync) return { request: { head, body: undefined }, bytes: undefined, whole: false, host }
  if (read.expectsContinue) client.writer.interim(goAhead)
  talk.underway = { kill: (refusal) => sayKilled(talk, refusal), cancel: ignore }
  const { bytes, whole } = await readBody(client.incoming, parts.maxStatementBytes)
  talk.underway = elsewhere
  const body = isNeeded ? await decodedBody(head, bytes, whole, parts.maxStatementBytes) : { body: undefined }
  return { request: { head, ...body }, bytes, whole, host }
}

async function decodedBody(
  head: RequestHead,
  bytes: Buffer,
  whole: boolean,
  most: number,
): Promise<Pick<Request, 'body' | 'unread'>> {
  if (!whole) return { body: undefined, unread: `its body is longer than ${most} bytes` }
  const decoded = await decode(bytes, head.fields, most)
  return 'body' in decoded ? decoded : { body: undefined, unread: decoded.unread }
}

async function clear(talk: Talk, command: Cleared['command']): Promise<Clearance> {
  const { gone } = talk.client.incoming
  let asking: AbortController | undefined
  const stop = () => asking?.abort()
  try {
    return await talk.conversation.checkpoint.clear([command], {
      // Made for a hold alone: hardly any request is held, and a signal with its listeners costs more than the rest here.
      get signal() {
        if (asking !== undefined) return asking.signal
        asking = new AbortController()
        if (gone.aborted) stop()
        else gone.addEventListener('abort', stop, { once: true })
        return asking.signal
      },
    })
  } finally {
    if (asking !== undefined) gone.removeEventListener('abort', stop)
  }
}

/** With leave: sends it and shows the answer on this connection. Without: says so. */
async function goOn(
  talk: Talk,
  read: ReadHead,
  received: Received,
  command: Cleared['command'],
  clearance: Clearance,
): Promise<boolean> {
  const { dialect } = talk.parts
  const { client, conversation } = talk
  const { request: head } = read
  if ('refusal' in clearance) return await own(talk, read, dialect.refusal(explained(clearance.refusal, command), head))
  const cleared = clearedOf(received, command, clearance)
  if (client.socket.destroyed) {
    // Nobody is there for the answer: nothing is done for nobody.
    conversation.checkpoint.settle(cleared.permit, { status: 'not-run' })
    return false
  }
  const forbidden = head.upgrade === undefined ? undefined : dialect.unupgradable(cleared)
  if (forbidden !== undefined) {
    const refusal = notUnderstood(forbidden, 'ask for it without changing the protocol')
    conversation.checkpoint.settle(cleared.permit, {
      status: 'refused',
      error: { code: refusal.code, message: refusal.message },
    })
    return await own(talk, read, dialect.refusal(refusal, head, 403))
  }
  if (read.expectsContinue && !received.whole && received.bytes === undefined) client.writer.interim(goAhead)

  const run = send(talk, received, cleared, client.writer)
  talk.underway = run
  const end = await run.over
  talk.underway = elsewhere
  switch (end.kind) {
    case 'answered':
      return !client.writer.lastOne && (await client.incoming.drop(worthDroppingBytes))
    case 'cut':
      return false
    case 'refused':
      return await own(talk, read, dialect.refusal(end.refusal, head, end.status))
    case 'upgraded':
      client.writer.upgraded(end.answer)
      client.incoming.handOver()
      talk.underway = elsewhere
      await dialect.upgraded({
        cleared,
        answer: end.answer,
        client: client.socket,
        upstream: end.socket,
        conversation,
      })
      return false
    default:
      return end satisfies never
  }
}

/** Without a connection to show it on: the answer is kept. */
async function answerApart(
  talk: Talk,
  received: Received,
  command: Cleared['command'],
  clearance: Clearance,
): Promise<OwnAnswer> {
  const { dialect, maxStatementBytes } = talk.parts
  const { head } = received.request
  if ('refusal' in clearance) return dialect.refusal(explained(clearance.refusal, command), head)
  const kept = new CollectedAnswer(maxStatementBytes)
  const run = send(talk, received, clearedOf(received, command, clearance), kept)
  kept.onTooLong = () => run.withhold('it is longer than what is kept: ask without "Prefer: respond-async"')
  talk.apart.add(run)
  const end = await run.over
  talk.apart.delete(run)
  if (end.kind === 'refused') return dialect.refusal(end.refusal, head, end.status)
  const whole = kept.whole()
  if (whole === undefined) throw new Error('an answer that got whole was not kept')
  return whole
}

function send(talk: Talk, { request, bytes, whole, host }: Received, cleared: Cleared, sink: Sink): Run {
  const { parts, client, upstream, conversation } = talk
  const { dialect, clock } = parts
  const run = new Run({ checkpoint: conversation.checkpoint, clock, dialect, target: upstream.target }, cleared, sink)
  const head = dialect.outward(request.head, upstream.target, upstream.bearer, cleared.permit.masks)
  const body = whole ? bytes : restOf(client.incoming, bytes, run)
  if (whole) run.sent(bytes?.length ?? 0)
  const outgoing: Outgoing = { head, body, host }
  run.began(upstream.dispatch(outgoing, cleared.permit, run))
  return run
}

function clearedOf(
  { request }: Received,
  command: Cleared['command'],
  clearance: Extract<Clearance, { permits: unknown }>,
): Cleared {
  const [permit] = clearance.permits
  if (permit === undefined) throw new Error('cleared without a permit')
  return { request, command, permit }
}

/** Answers in the gateway's own words, and sees to what is left of the request's body. */
async function own(talk: Talk, read: ReadHead, answer: OwnAnswer): Promise<boolean> {
  const { incoming, writer } = talk.client
  if (talk.conversation.signal.aborted) writer.lastOne = true
  const { body } = read.request
  const isLeft = !incoming.isBetween
  // A client that waits for leave may or may not send its body now: what comes next could be either (RFC 9110, 10.1.1).
  const isWorthDropping = typeof body === 'object' && body.bytes <= worthDroppingBytes && !read.expectsContinue
  if (isLeft && !isWorthDropping) writer.lastOne = true
  writer.own(answer)
  return !writer.lastOne && (await incoming.drop(worthDroppingBytes))
}

/** Nothing was asked yet: there is nothing to end but the connection. */
function sayKilled({ parts, client }: Talk, refusal: Refusal): void {
  client.writer.lastOne = true
  client.writer.own(parts.dialect.refusal(refusal, undefined))
  client.socket.end()
}

const failedApart: Refusal = {
  code: 'internal',
  message: 'the answer to this request was lost',
  next: 'see the audit for what became of it, before asking again',
}
const goAhead = { status: 100, fields: [] }
const nothing: Uint8Array = new Uint8Array(0)

function ignore(): void {}
