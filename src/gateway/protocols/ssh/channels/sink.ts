/**
 * Where the bytes of one channel go: its output and its stderr, one write at a time, and no faster than the connection
 * takes them. ssh2 keeps to the peer's window, but a peer may give a window of gigabytes and then not read.
 */
import type { Writable } from 'node:stream'
import type { Channel } from 'ssh2'
import { forgetSent, takesMore } from '../inside.ts'

export interface Sink {
  /** False: enough for now; `onDrain` says when to go on. Never throws. */
  write(stream: Writable, bytes: Uint8Array): boolean
  onDrain(goOn: () => void): void
  /** Resolves when everything has been handed to the connection, or will never be. */
  flushed(): Promise<void>
}

/** What may wait here for one channel. */
const mostWaiting = 256 * 1024
/** What may wait in the connection's socket, whose bytes are those of all channels. */
const mostInSocket = 1024 * 1024

/** `gone` ends all waiting. */
export function createSink(channel: Channel, socket: Writable, gone: AbortSignal): Sink {
  const waiting: { readonly stream: Writable; readonly bytes: Uint8Array }[] = []
  let bytesWaiting = 0
  let busy = false
  const drained: (() => void)[] = []
  const empty: (() => void)[] = []
  const release = (list: (() => void)[]) => {
    for (const call of list.splice(0)) call()
  }
  gone.addEventListener('abort', () => release(empty), { once: true })

  function next(): void {
    const first = waiting[0]
    if (busy || first === undefined) return
    busy = true
    if (socket.writableLength > mostInSocket) {
      socket.once('drain', () => {
        busy = false
        next()
      })
      return
    }
    waiting.shift()
    forgetSent(channel)
    cork(socket)
    first.stream.write(first.bytes, () => {
      busy = false
      bytesWaiting -= first.bytes.length
      if (bytesWaiting < mostWaiting / 2) release(drained)
      if (bytesWaiting === 0) release(empty)
      next()
    })
  }

  return {
    write(stream, bytes) {
      if (bytes.length === 0 || gone.aborted || !takesMore(channel)) return true
      bytesWaiting += bytes.length
      waiting.push({ stream, bytes })
      next()
      return bytesWaiting < mostWaiting
    },
    onDrain(goOn) {
      if (bytesWaiting < mostWaiting / 2) goOn()
      else drained.push(goOn)
    },
    flushed() {
      if (bytesWaiting === 0 || gone.aborted) return Promise.resolve()
      return new Promise((resolve) => empty.push(resolve))
    },
  }
}

const corked = new WeakSet<Writable>()

/** ssh2 writes a packet in three pieces; in one turn, all packets leave together. */
function cork(socket: Writable): void {
  if (corked.has(socket)) return
  corked.add(socket)
  socket.cork()
  process.nextTick(() => {
    corked.delete(socket)
    socket.uncork()
  })
}
