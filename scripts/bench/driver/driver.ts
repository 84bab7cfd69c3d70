/**
 * The built-in driver, a process of its own so that its work is not the bench's. It is needed where pgbench is missing, and
 * always for what pgbench cannot do: go over the gateway's link without the CLI, and start transactions by a clock.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Answer, JobKind, Jobs } from './jobs.ts'

export interface Driver {
  run<K extends JobKind>(kind: K, asked: Jobs[K]['asked']): Promise<Jobs[K]['answered']>
  stop(): Promise<void>
}

const program = fileURLToPath(new URL('process.ts', import.meta.url))

export function startDriver(): Driver {
  const child = fork(program, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let said = ''
  child.stderr?.on('data', (data: Buffer) => {
    said += data
  })
  const ended = once(child, 'exit').then(() => undefined)
  return {
    async run<K extends JobKind>(kind: K, asked: Jobs[K]['asked']) {
      const answer = await Promise.race([ask(child, { kind, asked }), ended])
      if (answer === undefined) throw new Error(`the driver ended: ${said.trim().slice(-1000)}`)
      if ('error' in answer) throw new Error(`the driver was told: ${answer.error}`)
      // Its own process answers each kind of job with that kind's type.
      return answer.answered as Jobs[K]['answered']
    },
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

async function ask(child: ChildProcess, request: object): Promise<Answer> {
  const answered = once(child, 'message')
  child.send(request)
  const [answer] = await answered
  return answer
}
