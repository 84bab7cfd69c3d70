/** Recordings in memory, for conversations that are driven without a gateway. */
import { createHash } from 'node:crypto'
import type { RecordingHead, Recordings } from '../../src/gateway/protocols/protocol.ts'

export interface MemoryRecordings extends Recordings {
  /** `o hello`, `i ls`, `r 100x30`, `m refused`, `x 0`: one list for each recording, in the order of their start. */
  readonly kept: { readonly command: string; readonly head: RecordingHead; readonly events: string[] }[]
  /** Tells every recording that is open that it can be kept no longer. */
  lose(reason: unknown): void
}

export function createMemoryRecordings(): MemoryRecordings {
  const kept: MemoryRecordings['kept'] = []
  const open = new Set<(reason: unknown) => void>()
  return {
    kept,
    lose(reason) {
      for (const onLost of open) onLost(reason)
    },
    async start(permit, head, onLost) {
      const events: string[] = []
      kept.push({ command: permit.command, head, events })
      open.add(onLost)
      return {
        output: (bytes) => void events.push(`o ${Buffer.from(bytes).toString()}`),
        input: (bytes) => void events.push(`i ${Buffer.from(bytes).toString()}`),
        resize: (width, height) => void events.push(`r ${width}x${height}`),
        marker: (label) => void events.push(`m ${label}`),
        room: () => undefined,
        async end(status) {
          open.delete(onLost)
          events.push(`x ${status ?? ''}`)
          const text = events.join('\n')
          return { sha256: createHash('sha256').update(text).digest('hex'), bytes: text.length }
        },
      }
    },
  }
}
