/** Moves what a stream gives into a sink until it ends, pausing it while the sink has enough. */
import type { Readable, Writable } from 'node:stream'
import type { Sink } from './sink.ts'

export interface Pouring {
  /** Bytes that came. */
  readonly bytes: number
  /** Resolves when the source has ended, or will never go on. */
  readonly ended: Promise<void>
}

export interface Through {
  /** May take away, keep back or change what goes on. */
  change(chunk: Buffer): Uint8Array
  /** What else has to catch up before more may come, if anything. */
  room(): Promise<void> | undefined
}

export function pour(source: Readable, sink: Sink, stream: Writable, gone: AbortSignal, through?: Through): Pouring {
  let bytes = 0
  source.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    const isDrained = sink.write(stream, through === undefined ? chunk : through.change(chunk))
    const room = through?.room()
    if (isDrained && room === undefined) return
    source.pause()
    const drained = isDrained ? undefined : new Promise<void>((resolve) => sink.onDrain(resolve))
    void Promise.all([drained, room]).then(() => source.resume())
  })
  const ended = new Promise<void>((resolve) => {
    source.once('end', resolve)
    if (source.readableEnded || gone.aborted) resolve()
    else gone.addEventListener('abort', () => resolve(), { once: true })
  })
  return {
    get bytes() {
      return bytes
    },
    ended,
  }
}
