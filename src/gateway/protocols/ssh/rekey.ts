/**
 * New keys after every gigabyte, on both connections (RFC 4253, 9): ssh2 takes part when the other side asks for it, and
 * never asks by itself.
 */
import type { Connections } from './channels/channel.ts'
import { transportOf } from './inside.ts'

const everyBytes = 1024 ** 3
/** At most some hundred megabytes later. */
const lookEveryMs = 500

export function rekeyEvery({ client, upstream }: Connections, bytes = everyBytes): { stop(): void } {
  // What goes through one connection goes through the other: the target's socket counts for both.
  const moved = () => upstream.socket.bytesRead + upstream.socket.bytesWritten
  let last = moved()
  const timer = setInterval(() => {
    if (moved() - last < bytes) return
    last = moved()
    transportOf(client.connection).rekey()
    transportOf(upstream.connection).rekey()
  }, lookEveryMs)
  return { stop: () => clearInterval(timer) }
}
