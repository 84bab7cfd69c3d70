/**
 * Writes to a socket with back-pressure. Neighbouring slices of one buffer go out as one write, so that a thousand rows
 * that arrived together leave together, uncopied. Writing to a peer that is gone is no error: it is dropped.
 */
import type { Duplex } from 'node:stream'

export interface Outlet {
  /** Queues bytes; they leave with `flush`. */
  add(bytes: Buffer): void
  /** Sends what was added; resolves when the peer takes more, or is gone. */
  flush(): Promise<void>
  /** After what was added: says that no more comes (half-close). Resolves when the peer was sent all of it, or is gone. */
  end(): Promise<void>
  /** Ends at once; what the peer has not taken by then is lost. */
  destroy(): void
  /** Aborted once nothing can be written any more. */
  readonly closed: AbortSignal
}

export function createOutlet(socket: Duplex): Outlet {
  const closed = new AbortController()
  let runs: Buffer[] = []
  let full = false
  let wake: (() => void)[] = []

  function stir(): void {
    for (const resolve of wake) resolve()
    wake = []
  }
  function close(): void {
    runs = []
    closed.abort()
    stir()
  }
  socket.on('drain', () => {
    full = false
    stir()
  })
  socket.on('finish', stir)
  socket.on('close', close)
  socket.on('error', close)
  if (socket.destroyed || !socket.writable) close()

  function push(): void {
    const queued = runs
    runs = []
    if (closed.signal.aborted || socket.writableEnded) return
    if (queued.length > 1) socket.cork()
    for (const run of queued) if (!socket.write(run)) full = true
    if (queued.length > 1) socket.uncork()
  }

  return {
    add(bytes) {
      const last = runs.at(-1)
      if (last !== undefined && last.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset) {
        runs[runs.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + bytes.length)
        return
      }
      runs.push(bytes)
    },
    async flush() {
      if (runs.length > 0) push()
      while (full && !closed.signal.aborted) await new Promise<void>((resolve) => wake.push(resolve))
    },
    async end() {
      push()
      if (!socket.writableEnded) socket.end()
      while (!socket.writableFinished && !closed.signal.aborted)
        await new Promise<void>((resolve) => wake.push(resolve))
    },
    destroy() {
      runs = []
      socket.destroy()
    },
    closed: closed.signal,
  }
}
