/** Answers a request with lines until there are no more, the reader leaves, its token ends or the server closes. */
import type { FastifyReply } from 'fastify'
import { callerOf, type RouteContext } from '../context.ts'
import { ndjson } from '../ndjson.ts'

export async function streamLines(
  reply: FastifyReply,
  { beatMs, closing }: Pick<RouteContext, 'beatMs' | 'closing'>,
  beat: string,
  open: (signal: AbortSignal) => Promise<AsyncIterable<string>>,
): Promise<FastifyReply> {
  const over = new AbortController()
  // Who may read was decided by the token: when that ends, so does the stream, and the client comes with a new one.
  const left = Math.max(0, callerOf(reply.request).expires - Date.now())
  const timer = setTimeout(() => over.abort(), Math.min(left, 2 ** 31 - 1)).unref()
  const signal = AbortSignal.any([over.signal, closing])
  const lines = await open(signal)
  const stream = ndjson(until(signal, lines), { everyMs: beatMs, line: beat }, () => {
    clearTimeout(timer)
    over.abort()
  })
  return reply
    .header('content-type', 'application/x-ndjson; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no')
    .send(stream)
}

/** A source that answers an abort by throwing ends as one that just ends: the reader is gone or told to come again. */
async function* until(signal: AbortSignal, lines: AsyncIterable<string>): AsyncGenerator<string> {
  try {
    for await (const line of lines) {
      yield line
      if (signal.aborted) return
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
