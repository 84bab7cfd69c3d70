/**
 * One idle-priority spinner for each core: on virtual machines idle cores halt, and waking them costs more than a proxy.
 * For throughput and medians only; a p99 is measured without, because a spinner that has to be displaced is a delay too.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

export interface Spinners {
  /** As a reader of the figures is told. */
  readonly kind: string
  during<T>(work: () => Promise<T>): Promise<T>
}

const program = fileURLToPath(new URL('spinner.ts', import.meta.url))

export function createSpinners(): Spinners {
  const idle = spawnSync('chrt', ['-i', '0', 'true'], { stdio: 'ignore' }).status === 0
  const [file = process.execPath, ...args] = idle
    ? ['chrt', '-i', '0', process.execPath, program]
    : [process.execPath, program]
  const count = availableParallelism()
  return {
    kind: `${count} at ${idle ? 'idle priority (chrt -i 0)' : 'nice 19, because chrt does not work here'}`,
    async during(work) {
      const running = Array.from({ length: count }, () => spawn(file, args, { stdio: 'ignore' }))
      try {
        return await work()
      } finally {
        await Promise.all(running.map(end))
      }
    },
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
