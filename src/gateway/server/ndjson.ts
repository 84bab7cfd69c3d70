/**
 * Lines as they come, to a reader that may be slow or leave: no more is asked of the source than the reader takes, and a
 * beat at the start and in quiet times tells both ends that the other is there.
 */
import { Readable } from 'node:stream'

export interface Beats {
  readonly everyMs: number
  /** The line that says nothing: empty, or an event of its own. */
  readonly line: string
}

/** `leave` is called once when the stream is over, however that came; it must end `lines`. */
export function ndjson(lines: AsyncIterable<string>, beats: Beats, leave: () => void): Readable {
  let quiet = true
  let wanted: (() => void) | undefined
  const stream = new Readable({
    highWaterMark: 64 * 1024,
    read() {
      wanted?.()
      wanted = undefined
    },
    destroy(error, done) {
      clearInterval(timer)
      wanted?.()
      leave()
      done(error)
    },
  })
  const timer = setInterval(() => {
    // A beat that the reader has no room for would only grow the buffer: its silence is its own doing.
    if (quiet && stream.readableLength === 0) stream.push(`${beats.line}\n`)
    quiet = true
  }, beats.everyMs)

  // The answer begins with its first line: without one at once, a quiet stream would look like a gateway that hangs.
  stream.push(`${beats.line}\n`)

  async function pump(): Promise<void> {
    for await (const line of lines) {
      if (stream.destroyed) return
      quiet = false
      if (stream.push(`${line}\n`)) continue
      await new Promise<void>((resolve) => {
        wanted = resolve
      })
    }
    if (!stream.destroyed) stream.push(null)
  }

  pump().catch((error: unknown) => stream.destroy(error instanceof Error ? error : new Error(String(error))))
  return stream
}
