/** The driver's process: takes jobs from its parent, one after the other, and ends when that is gone. */
import { closeLinks } from './connection.ts'
import { runCopyIn, runFetch } from './bulk.ts'
import { holdIdle } from './idle.ts'
import type { Answer, Request } from './jobs.ts'
import { connectOften, runChurn, runLoad } from './load.ts'
import { runPaced } from './paced.ts'

process.on('message', (request: Request) => {
  run(request).then(
    (answered) => answer({ answered }),
    (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
  )
})
// Ctrl-C reaches the whole terminal; when to stop is the bench's to say.
process.on('SIGINT', () => {})
process.on('disconnect', () => {
  closeLinks()
  process.exit(0)
})

function run(request: Request): Promise<unknown> {
  switch (request.kind) {
    case 'load':
      return runLoad(request.asked)
    case 'paced':
      return runPaced(request.asked)
    case 'churn':
      return runChurn(request.asked)
    case 'connect':
      return connectOften(request.asked)
    case 'fetch':
      return runFetch(request.asked)
    case 'copyIn':
      return runCopyIn(request.asked)
    case 'idle':
      return holdIdle(request.asked)
    default:
      return request satisfies never
  }
}

function answer(said: Answer): void {
  process.send?.(said)
}
