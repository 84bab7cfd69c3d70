/** A passage as a stream. What it keeps back longer than a moment goes out, masked as it stands, where it allows that. */
import { Transform, type TransformCallback } from 'node:stream'
import type { Passage } from './passage.ts'

/** A line without an end is looked at again when it has waited so long: what is cut in two then is not found. */
const longestWaitMs = 1000

export function passageStream(passage: Passage): Transform {
  let timer: NodeJS.Timeout | undefined
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      attempt(done, () => passage.push(chunk))
      if (passage.waiting === true) timer ??= setTimeout(flush, longestWaitMs)
      else stop()
    },
    flush(done) {
      stop()
      attempt(done, () => passage.end())
    },
    destroy(error, done) {
      stop()
      done(error)
    },
  })

  function stop(): void {
    clearTimeout(timer)
    timer = undefined
  }

  function flush(): void {
    timer = undefined
    if (stream.destroyed) return
    try {
      const bytes = passage.flush?.()
      if (bytes !== undefined && bytes.length > 0) stream.push(bytes)
    } catch (error) {
      stream.destroy(asError(error))
    }
  }

  return stream
}

function attempt(done: TransformCallback, work: () => Buffer): void {
  let bytes: Buffer
  try {
    bytes = work()
  } catch (error) {
    done(asError(error))
    return
  }
  if (bytes.length > 0) done(null, bytes)
  else done()
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
