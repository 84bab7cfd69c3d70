/** One direction of an upgraded connection (101), up to its end. What breaks one end breaks the other. */
import type { Duplex } from 'node:stream'

export interface Passed {
  /** What goes on to the other end. */
  readonly bytes: readonly Buffer[]
  /** Nothing more is taken before this. */
  readonly room?: Promise<void> | undefined
}

/** Resolves to how it ended: `ended` where it came to its end, `broken`, or what `pass` threw, which ends it. */
export function pour(from: Duplex, to: Duplex, pass: (bytes: Buffer) => Passed): Promise<'ended' | 'broken' | Error> {
  return new Promise((resolve) => {
    let waits = false
    const broken = () => {
      to.destroy()
      resolve('broken')
    }
    if (from.readableEnded) {
      to.end()
      resolve('ended')
      return
    }
    const goOn = () => {
      if (!waits && !to.writableNeedDrain) from.resume()
    }
    from.on('data', (bytes: Buffer) => {
      let passed: Passed
      try {
        passed = pass(bytes)
      } catch (error) {
        from.pause()
        resolve(error instanceof Error ? error : new Error(String(error)))
        return
      }
      let isFull = false
      for (const part of passed.bytes) if (!to.destroyed && !to.write(part)) isFull = true
      if (isFull) from.pause()
      if (passed.room === undefined) return
      waits = true
      from.pause()
      void passed.room.then(() => {
        waits = false
        goOn()
      })
    })
    to.on('drain', goOn)
    from.once('end', () => {
      to.end()
      resolve('ended')
    })
    from.once('error', broken)
    from.once('close', broken)
    if (from.destroyed) broken()
    else from.resume()
  })
}
