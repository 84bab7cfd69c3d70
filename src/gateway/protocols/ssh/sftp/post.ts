/** Frames on their way out: neighbours that arrived in one buffer leave as one piece, uncopied. */
import type { Way } from '../channels/file-ends.ts'

export interface Post {
  /** Queues; leaves with `flush`. */
  add(bytes: Buffer): void
  flush(): void
  /** The other side has enough for now. */
  readonly isFull: boolean
  /** Resolves when the other side takes more, or never will. */
  room(signal: AbortSignal): Promise<void>
}

export function createPost(way: Way): Post {
  let run: Buffer | undefined
  let isFull = false

  function write(): void {
    if (run === undefined) return
    const bytes = run
    run = undefined
    if (!way.write(bytes)) isFull = true
  }

  return {
    add(bytes) {
      if (run !== undefined && run.buffer === bytes.buffer && run.byteOffset + run.length === bytes.byteOffset) {
        run = Buffer.from(run.buffer, run.byteOffset, run.length + bytes.length)
        return
      }
      write()
      run = bytes
    },
    flush: write,
    get isFull() {
      return isFull
    },
    async room(signal) {
      if (!isFull || signal.aborted) return
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true })
        way.onDrain(resolve)
      })
      isFull = false
    },
  }
}
