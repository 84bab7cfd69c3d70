/**
 * Worker threads of the store, from sources and from the built package alike: Node runs the .ts file as it is (it strips
 * types), and the build turns both this file and the worker into .js.
 */
import { Worker } from 'node:worker_threads'

export type StoreThread = 'writer-worker' | 'reader-worker'

export function startThread(name: StoreThread, workerData: unknown): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new Worker(new URL(`./${name}.${extension}`, import.meta.url), {
    name: `hoop ${name}`,
    workerData,
    // Not the parent's: a debugger port or a loader of tests is not for this thread.
    execArgv: [],
  })
}
