/**
 * Reads a socket ahead, up to a bound: so that the end of a peer is noticed while we are busy with what it sent before
 * (a held command), and so that a peer that sends faster than we forward is slowed down instead of buffered.
 */
import type { Readable } from 'node:stream'

export interface Intake {
  /** What arrived next, in order; undefined once the peer has ended and everything has been read. */
  next(): Promise<Buffer | undefined>
  /** Puts back what was read too far. */
  unread(bytes: Buffer): void
  /** Reads no further: the socket, with whatever nobody has read, belongs to somebody else from here on. `gone` stays silent. */
  release(): void
  /** Bytes that have arrived and nobody has read. */
  readonly waiting: number
  /** As much has arrived as is read ahead: what the peer does now, its end included, shows only once some was read. */
  readonly full: boolean
  /** Aborted as soon as the peer has ended, closed or failed, even if there is more to read (but see `full`). */
  readonly gone: AbortSignal
}

const readAheadBytes = 256 * 1024

/** Once `over` is aborted it is as if the peer had ended; what still comes is let go, so that the stream can close. */
export function createIntake(socket: Readable, over?: AbortSignal): Intake {
  const chunks: Buffer[] = []
  const gone = new AbortController()
  let waiting = 0
  let ended = false
  let wake: (() => void) | undefined

  function stir(): void {
    const woken = wake
    wake = undefined
    woken?.()
  }
  function take(): Buffer | undefined {
    const chunk = chunks.shift()
    if (chunk === undefined) return undefined
    waiting -= chunk.length
    if (waiting < readAheadBytes && socket.isPaused()) socket.resume()
    return chunk
  }
  function end(): void {
    ended = true
    gone.abort()
    stir()
  }
  function letGo(): void {
    chunks.length = 0
    waiting = 0
    end()
    socket.resume()
  }
  function receive(chunk: Buffer): void {
    if (over?.aborted === true) return
    chunks.push(chunk)
    waiting += chunk.length
    if (waiting >= readAheadBytes) socket.pause()
    stir()
  }
  socket.on('data', receive)
  socket.on('end', end)
  socket.on('close', end)
  socket.on('error', end)
  over?.addEventListener('abort', letGo, { once: true })
  if (socket.destroyed || socket.readableEnded || over?.aborted === true) end()
  // Whoever had it before us may have let go of it paused, and then listening alone does not set it going.
  else if (socket.isPaused()) socket.resume()

  return {
    next() {
      if (chunks.length > 0 || ended) return Promise.resolve(take())
      return new Promise((resolve) => {
        wake = () => resolve(take())
      })
    },
    unread(bytes) {
      if (bytes.length === 0) return
      chunks.unshift(bytes)
      waiting += bytes.length
      stir()
    },
    release() {
      socket.off('data', receive)
      socket.off('end', end)
      socket.off('close', end)
      over?.removeEventListener('abort', letGo)
      socket.pause()
      ended = true
      const rest = Buffer.concat(chunks.splice(0))
      waiting = 0
      // Behind its end nothing can be put back; then there is nothing either but what was read ahead of it.
      if (rest.length > 0 && !socket.readableEnded) socket.unshift(rest)
    },
    get waiting() {
      return waiting
    },
    get full() {
      return waiting >= readAheadBytes
    },
    gone: gone.signal,
  }
}
