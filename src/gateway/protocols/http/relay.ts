/**
 * The conversation of one connection: requests one after another, each read, judged, written down and only then sent.
 * What is asked while another request is under way waits in the socket.
 */
import { hoopError, isHoopError } from '../../../contract/error-codes.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Conversation } from '../protocol.ts'
import type { Wish } from './answer-writer.ts'
import { closeClient } from './closing.ts'
import type { Upstream } from './exchange.ts'
import type { Client } from './greeting.ts'
import { Malformed } from './malformed.ts'
import { notUnderstood } from './refusals.ts'
import { serve } from './serve.ts'
import type { RelayParts, Talk } from './talk.ts'

export async function relay(
  parts: RelayParts,
  client: Client,
  upstream: Upstream,
  conversation: Conversation,
): Promise<void> {
  const { signal } = conversation
  const talk: Talk = { parts, client, upstream, conversation, underway: undefined, apart: new Set(), endings: [] }
  let late: NodeJS.Timeout | undefined
  const kill = () => {
    const refusal = reasonOfKill(signal)
    for (const run of talk.apart) run.kill(refusal)
    // Between two requests nobody waits for words.
    if (talk.underway === undefined) client.socket.end()
    else talk.underway.kill(refusal)
    late = setTimeout(() => client.socket.destroy(), lastWordsMs)
  }
  // A client that is not there any more gets no answer, and what runs for it is of no use to anybody.
  const leave = () => talk.underway?.cancel()
  client.socket.once('close', leave)
  if (signal.aborted) kill()
  else signal.addEventListener('abort', kill, { once: true })
  try {
    await converse(talk)
    // What was answered with 202 goes on for whoever asks for it, on whichever connection of its session.
    await Promise.all(talk.endings)
  } finally {
    clearTimeout(late)
    signal.removeEventListener('abort', kill)
    client.socket.off('close', leave)
    upstream.close()
  }
}

async function converse(talk: Talk): Promise<void> {
  const { client, conversation } = talk
  let failure: unknown
  try {
    while (!conversation.signal.aborted) {
      client.writer.expect(nothingAsked)
      talk.underway = undefined
      const read = await client.incoming.head()
      if (read === undefined || !(await serve(talk, read))) break
    }
  } catch (error) {
    failure = failureOf(talk, error)
  }
  await closeClient(client, conversation.signal)
  if (failure !== undefined) throw failure
}

/** Tells the client what can still be told; undefined: it has left, which is no failure. */
function failureOf({ parts, client, conversation }: Talk, error: unknown): unknown {
  if (isHoopError(error) && error.code === 'cancelled') return undefined
  const { writer } = client
  if (!(error instanceof Malformed)) {
    client.socket.destroy()
    return error
  }
  writer.lastOne = true
  if (!writer.hasBegun && !conversation.signal.aborted)
    writer.own(parts.dialect.refusal(notUnderstood(error.message), undefined, error.status))
  return hoopError('protocol-error', `the client broke the rules of HTTP: ${error.message}`, { cause: error })
}

function reasonOfKill(signal: AbortSignal): Refusal {
  const reason: unknown = signal.reason
  // The one who aborts gives a Refusal (protocol.ts); anything else is a gateway that stops.
  if (typeof reason === 'object' && reason !== null && 'code' in reason && 'next' in reason) return reason as Refusal
  return { code: 'killed', message: 'the gateway ended this connection', next: 'connect again' }
}

/** For a client that was killed to take its last words. */
const lastWordsMs = 2000
/** What cannot be read is answered as if it had been this. */
const nothingAsked: Wish = { method: 'GET', version: '1.1', keepAlive: false, takesTrailers: false }
