/**
 * Connections that go on with another protocol (101; RFC 9110, 7.8): a WebSocket is read (websocket.ts), of any other the
 * bytes pass both ways, each direction ending by itself. What cannot be read here does not pass where something would have
 * to be masked in it.
 */
import type { Outcome } from '../../../contract/record.ts'
import type { Cleared, Upgraded } from './exchange.ts'
import { pour } from './pour.ts'
import { areLookedAt } from './results.ts'
import { relayWebSocket } from './websocket.ts'

export function unupgradable({ permit, request }: Cleared): string | undefined {
  if (request.head.upgrade === 'websocket' || !areLookedAt(permit.masks)) return undefined
  return `what "${request.head.upgrade}" carries could not be masked`
}

export async function upgraded(upgraded: Upgraded): Promise<void> {
  if (upgraded.cleared.request.head.upgrade === 'websocket') await relayWebSocket(upgraded)
  else await relayBytes(upgraded)
}

async function relayBytes({ cleared, answer, client, upstream, conversation }: Upgraded): Promise<void> {
  const { signal, checkpoint } = conversation
  const counts = { in: 0, out: 0 }
  const stop = () => {
    client.destroy()
    upstream.destroy()
  }
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  const ends = await Promise.all([
    pour(client, upstream, (bytes) => {
      counts.in += bytes.length
      return { bytes: [bytes] }
    }),
    pour(upstream, client, (bytes) => {
      counts.out += bytes.length
      return { bytes: [bytes] }
    }),
  ])
  signal.removeEventListener('abort', stop)
  stop()
  const isWhole = ends.every((end) => end === 'ended')
  const status: Outcome['status'] = isWhole ? 'done' : signal.aborted ? 'unknown' : 'cancelled'
  checkpoint.settle(cleared.permit, {
    status,
    summary: `${answer.status} ${answer.phrase ?? 'Switching Protocols'}`,
    bytesIn: counts.in,
    bytesOut: counts.out,
  })
}
