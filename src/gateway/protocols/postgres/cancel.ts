/**
 * Cancellation. A CancelRequest comes on a connection of its own and names a backend by PID and secret. Clients get the
 * real PID (so that pg_stat_activity and notifications agree with it) and a secret of ours, which opens the conversation
 * here and nothing at the target.
 */
import { randomBytes } from 'node:crypto'
import type { Target } from '../protocol.ts'
import { dial } from './dial.ts'

export interface CancelKeys {
  /** Makes up the secret that the client gets. */
  register(target: string, pid: number, cancel: () => Promise<void>): { readonly secret: Buffer; forget(): void }
  /** Cancels what runs or waits under this key; an unknown key does nothing, as at PostgreSQL. */
  cancel(target: string, pid: number, secret: Buffer): Promise<void>
}

export function createCancelKeys(): CancelKeys {
  const conversations = new Map<string, () => Promise<void>>()
  const keyOf = (target: string, pid: number, secret: Buffer) => `${target} ${pid} ${secret.toString('hex')}`
  return {
    register(target, pid, cancel) {
      const secret = randomBytes(4)
      const key = keyOf(target, pid, secret)
      conversations.set(key, cancel)
      return { secret, forget: () => conversations.delete(key) }
    },
    async cancel(target, pid, secret) {
      await conversations.get(keyOf(target, pid, secret))?.()
    },
  }
}

/** Sends the real request and waits until the server has taken it: it then closes the connection without a word. */
export async function cancelAtTarget(
  target: Target,
  key: { readonly pid: number; readonly secret: Buffer },
  signal: AbortSignal,
): Promise<void> {
  const socket = await dial(target, signal)
  const request = Buffer.alloc(12)
  request.writeInt32BE(12 + key.secret.length, 0)
  request.writeInt32BE(80_877_102, 4)
  request.writeInt32BE(key.pid, 8)
  const stop = () => socket.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    socket.on('end', () => socket.end())
    socket.resume()
    socket.write(Buffer.concat([request, key.secret]))
    await closed
  } finally {
    signal.removeEventListener('abort', stop)
    socket.destroy()
  }
}
