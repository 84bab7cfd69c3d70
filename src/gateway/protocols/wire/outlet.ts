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
  /** The same for a part of something long: parts that arrive in one turn of the event loop leave together. */
  flushPart(): Promise<void>
  /** After what was added: says that no more comes (half-close). Resolves when the peer was sent all of it, or is gone. */
  end(): Promise<void>
  /** Ends at once; what the peer has not taken by then is lost. */
  destroy(): void
  /** Aborted once nothing can be written any more. */
  readonly closed: AbortSignal
}

/** More than this gains nothing by leaving together. */
const enoughBytes = 64 * 1024
const taken = Promise.resolve()

export function createOutlet(socket: Duplex): Outlet {
  const closed = new AbortController()
  let runs: Buffer[] = []
  /** The first slice of the run that is growing, and how long the run is by now. */
  let run: Buffer | undefined
  let runBytes = 0
  let queuedBytes = 0
  let full = false
  let wake: (() => void)[] = []
  let atEndOfTurn: NodeJS.Immediate | undefined

  function stir(): void {
    for (const resolve of wake) resolve()
    wake = []
  }
  function close(): void {
    runs = []
    run = undefined
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

  function closeRun(): void {
    if (run === undefined) return
    runs.push(run.length === runBytes ? run : Buffer.from(run.buffer, run.byteOffset, runBytes))
    run = undefined
  }

  function push(): void {
    clearImmediate(atEndOfTurn)
    atEndOfTurn = undefined
    closeRun()
    const queued = runs
    runs = []
    queuedBytes = 0
    if (closed.signal.aborted || socket.writableEnded) return
    if (queued.length > 1) socket.cork()
    for (const bytes of queued) if (!socket.write(bytes)) full = true
    if (queued.length > 1) socket.uncork()
  }

  async function untilTaken(): Promise<void> {
    while (full && !closed.signal.aborted) await new Promise<void>((resolve) => wake.push(resolve))
  }

  function flush(): Promise<void> {
    if (queuedBytes > 0) push()
    return full ? untilTaken() : taken
  }

  return {
    add(bytes) {
      queuedBytes += bytes.length
      if (run !== undefined && run.buffer === bytes.buffer && run.byteOffset + runBytes === bytes.byteOffset) {
        runBytes += bytes.length
        return
      }
      closeRun()
      run = bytes
      runBytes = bytes.length
    },
    flush,
    flushPart() {
      if (full || queuedBytes >= enoughBytes) return flush()
      if (queuedBytes > 0) atEndOfTurn ??= setImmediate(push)
      return taken
    },
    async end() {
      push()
      if (!socket.writableEnded) socket.end()
      while (!socket.writableFinished && !closed.signal.aborted)
        await new Promise<void>((resolve) => wake.push(resolve))
    },
    destroy() {
      runs = []
      run = undefined
      socket.destroy()
    },
    closed: closed.signal,
  }
}
