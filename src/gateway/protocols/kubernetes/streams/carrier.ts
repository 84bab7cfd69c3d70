/** What carries SPDY: the connection itself, or (kubectl since 1.31) the binary messages of a WebSocket. Pure. */
import { hoopError } from '../../../../contract/error-codes.ts'
import { createWebSocketReader, createWebSocketWriter, type NextMaskKey } from '../../wire/websocket.ts'
import type { End } from './tongue.ts'

export type Carried =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'other' | 'close'; readonly onward: readonly Buffer[] }

export interface Carrier {
  unwrap(from: End, chunk: Buffer): Iterable<Carried>
  wrap(to: End, frames: readonly Buffer[]): readonly Buffer[]
  bye(to: End, words: string): readonly Buffer[]
}

export const bareCarrier: Carrier = {
  unwrap: (_from, bytes) => [{ kind: 'bytes', bytes }],
  wrap: (_to, frames) => frames,
  bye: () => [],
}

const normal = 1000

export function createWebSocketCarrier(key: NextMaskKey): Carrier {
  const readers = {
    client: createWebSocketReader({ from: 'client' }),
    upstream: createWebSocketReader({ from: 'server' }),
  }
  const writers = { client: createWebSocketWriter(), upstream: createWebSocketWriter(key) }
  return {
    *unwrap(from, chunk) {
      const onward = writers[from === 'client' ? 'upstream' : 'client']
      for (const part of readers[from].read(chunk))
        switch (part.kind) {
          case 'data':
            if (part.type !== 'binary')
              throw hoopError('protocol-error', 'not SPDY in a WebSocket: a message that is text')
            yield { kind: 'bytes', bytes: part.bytes }
            break
          case 'ping':
          case 'pong':
            yield { kind: 'other', onward: onward.control(part.kind, part.bytes) }
            break
          case 'close':
            yield { kind: 'close', onward: onward.close(part.code, part.reason) }
            break
          default:
            part satisfies never
        }
    },
    wrap: (to, frames) => (frames.length === 0 ? [] : writers[to].message('binary', ...frames)),
    bye: (to, words) => writers[to].close(normal, words),
  }
}
