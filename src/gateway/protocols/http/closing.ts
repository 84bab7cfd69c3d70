/** The end of a client's connection: what was said last has to arrive, and a peer that goes on talking must not hold us. */
import type { Client } from './greeting.ts'

/** A client that sends a large body reads the answer only behind it; as long as nginx waits for it (lingering_time). */
const lingerMs = 30_000
/** For a client that was killed to take its last words. */
const lastWordsMs = 2000

/**
 * Ends our direction, drops what still comes, and closes. A slow client gets all the time it needs for what was written to
 * it; `hurry` says that it does not any more.
 */
export async function closeClient({ socket, incoming }: Client, hurry: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const closeWithin = (ms: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => socket.destroy(), ms)
  }
  const hurryUp = () => closeWithin(lastWordsMs)
  if (hurry.aborted) hurryUp()
  else hurry.addEventListener('abort', hurryUp, { once: true })
  try {
    if (!socket.writableEnded) socket.end()
    const dropping = incoming.dropAll()
    if (!socket.writableFinished && !socket.destroyed)
      await new Promise<void>((resolve) => {
        socket.once('finish', resolve)
        socket.once('close', resolve)
      })
    if (!hurry.aborted) closeWithin(lingerMs)
    await dropping
  } finally {
    clearTimeout(timer)
    hurry.removeEventListener('abort', hurryUp)
    socket.destroy()
  }
}
