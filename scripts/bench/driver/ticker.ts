/**
 * A clock that ticks to a twentieth of a millisecond. Timers of the event loop know whole milliseconds only, more than a
 * whole answer takes; a thread that sleeps in Atomics.wait does better, and does not spin.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'
import { now } from '../clock.ts'

interface Beat {
  readonly everyMs: number
  readonly times: number
}

export interface Ticker {
  /** `intended`: when it was due, by this thread's now(). */
  onTick(listener: (intended: number) => void): void
  readonly failed: Promise<never>
  stop(): Promise<void>
}

/** Time for the thread to start, before the first tick. */
const leadMs = 100

export function startTicker(beat: Beat): Ticker {
  const first = now() + leadMs
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { ...beat, first } })
  let listener: (intended: number) => void = () => {}
  let count = 0
  worker.on('message', () => listener(first + beat.everyMs * count++))
  return {
    onTick(given) {
      listener = given
    },
    failed: new Promise((_resolve, reject) => worker.once('error', reject)),
    stop: async () => {
      await worker.terminate()
    },
  }
}

function tick({ everyMs, times, first }: Beat & { readonly first: number }): void {
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  for (let count = 0; count < times; count++) {
    const leftMs = first + everyMs * count - now()
    if (leftMs > 0) Atomics.wait(sleeper, 0, 0, leftMs)
    parentPort?.postMessage(null)
  }
}

if (!isMainThread && parentPort !== null) tick(workerData)
