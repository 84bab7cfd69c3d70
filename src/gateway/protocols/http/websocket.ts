/**
 * A WebSocket between a client and its target. Its messages are recorded both ways, and masked on their way to the client;
 * a recording that cannot be kept ends it. No extension is spoken: they are taken off the request (websocketHead), because
 * compressed messages would have to be undone to be read.
 */
import { isHoopError } from '../../../contract/error-codes.ts'
import type { Outcome } from '../../../contract/record.ts'
import type { Recorder } from '../protocol.ts'
import { kept, notRecorded } from '../terminal/recorded.ts'
import { createWebSocketWriter } from '../wire/websocket.ts'
import { type RequestHead, type Upgraded, WithheldError } from './exchange.ts'
import { has, without } from './headers.ts'
import { createMaskedWay, createPlainWay, type Listener } from './messages.ts'
import { pour } from './pour.ts'
import { areLookedAt } from './results.ts'

const extensions = 'sec-websocket-extensions'

/** Closing codes (RFC 6455, 7.4.1). */
const closing = { goingAway: 1001, broken: 1002, withheld: 1008, failed: 1011 } as const

/** What a person reads of a recording that has no terminal. */
const page = { width: 120, height: 40 } as const

export function websocketHead(head: RequestHead): RequestHead {
  return head.upgrade === 'websocket' ? { ...head, fields: without(head.fields, new Set([extensions])) } : head
}

export async function relayWebSocket({ cleared, answer, client, upstream, conversation }: Upgraded): Promise<void> {
  const { permit, request } = cleared
  const { masks, recordMasks } = permit
  const lost = new AbortController()
  const settle = (outcome: Outcome) => conversation.checkpoint.settle(permit, outcome)
  const title = `websocket ${request.head.target.split('?', 1)[0]}`
  let recorder: Recorder
  try {
    const onLost = (reason: unknown) => lost.abort(notRecorded(reason))
    recorder = await conversation.recordings.start(permit, { ...page, title }, onLost)
  } catch (error) {
    // Fail closed: what cannot be recorded does not go on.
    end(closing.failed, notRecorded(error).message)
    settle({ status: 'refused' })
    return
  }

  const inward = createPlainWay(
    'client',
    recordMasks,
    listenerOf((text) => recorder.input(text), 'sent'),
  )
  const shown = listenerOf((text) => recorder.output(text), 'shown')
  const outward = areLookedAt(masks)
    ? createMaskedWay(masks, recordMasks, shown)
    : createPlainWay('server', recordMasks, shown)
  const counts = { in: 0, out: 0 }

  function listenerOf(tell: (text: Buffer) => void, what: string): Listener {
    return {
      text: (text) => tell(Buffer.from(`${text}\r\n`)),
      other: (bytes) => recorder.marker(`a message of ${bytes} bytes was ${what}`),
    }
  }

  function end(code: number, reason: string): void {
    if (!client.destroyed) {
      for (const bytes of createWebSocketWriter().close(code, reason)) client.write(bytes)
      client.end()
    }
    upstream.destroy()
  }

  const stop = () => end(closing.goingAway, reasonOf(signal.reason))
  const signal = AbortSignal.any([conversation.signal, lost.signal])
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  const failed = (error: unknown) => {
    if (error instanceof WithheldError) end(closing.withheld, `withheld: ${error.message}`)
    else end(closing.broken, isHoopError(error) ? error.message : 'not a WebSocket that can be followed')
    return error
  }
  const ends = has(answer.fields, extensions)
    ? [failed(new WithheldError('the target speaks an extension that nobody asked for'))]
    : await Promise.all([
        pour(client, upstream, (bytes) => {
          counts.in += bytes.length
          return { bytes: inward.pass(bytes), room: recorder.room() }
        }).then((how) => (how instanceof Error ? failed(how) : how)),
        pour(upstream, client, (bytes) => {
          const passed = outward.pass(bytes)
          counts.out += passed.reduce((sum, { length }) => sum + length, 0)
          return { bytes: passed, room: recorder.room() }
        }).then((how) => (how instanceof Error ? failed(how) : how)),
      ])
  signal.removeEventListener('abort', stop)
  client.end()
  upstream.destroy()
  settle({
    ...outcomeOf(ends, inward.closed && outward.closed, conversation.signal, lost.signal),
    summary: `${answer.status} ${answer.phrase ?? 'Switching Protocols'}`,
    bytesIn: counts.in,
    bytesOut: counts.out,
    ...(outward.masked ? { masked: true } : undefined),
    ...(await kept(recorder, null)),
  })
}

function outcomeOf(
  ends: readonly unknown[],
  isClosed: boolean,
  killed: AbortSignal,
  lost: AbortSignal,
): Pick<Outcome, 'status' | 'error'> {
  if (lost.aborted) return { status: 'failed', error: { code: 'audit-unavailable', message: 'its recording was lost' } }
  const error = ends.find((end) => end instanceof Error)
  if (error instanceof WithheldError) return { status: 'done', error: { code: 'withheld', message: error.message } }
  if (error instanceof Error) return { status: 'failed', error: { code: 'protocol-error', message: error.message } }
  // Both have said that it is over; how the connection then ends says nothing.
  if (isClosed || ends.every((end) => end === 'ended')) return { status: 'done' }
  return { status: killed.aborted ? 'unknown' : 'cancelled' }
}

/** Who aborts gives a Refusal (protocol.ts). */
function reasonOf(reason: unknown): string {
  return typeof reason === 'object' && reason !== null && 'message' in reason ? String(reason.message) : 'it was ended'
}
