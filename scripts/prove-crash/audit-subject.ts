/** The audit alone: a process that appends, and says so when a record is durable. That is when a command would be forwarded. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Subject } from './subject.ts'

export const auditSubject: Subject = {
  name: 'audit',

  async start(store, { wrap, flush }) {
    const program = fileURLToPath(new URL('audit-child.ts', import.meta.url))
    const life = randomBytes(4).toString('hex')
    const [file = process.execPath, ...args] = [...wrap, process.execPath, program, store, life, String(flush)]
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const exited = once(child, 'exit')
    const happened = new Set<string>()
    const refusals: string[] = []
    const started = Promise.withResolvers<number>()
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (line) => {
      const [word, rest = ''] = line.split(/ (.*)/)
      if (word === 'ready') started.resolve(Number(rest))
      else if (word === 'durable') happened.add(rest)
      else refusals.push(rest)
    })
    lines.once('close', () => started.reject(new Error('the audit did not start')))
    // Under strace this is not the child's own number.
    const pid = await started.promise

    return {
      count: () => happened.size,
      refusals: () => refusals,
      happened: () => new Set(happened),
      async kill() {
        const read = once(lines, 'close')
        process.kill(pid, 'SIGKILL')
        await Promise.all([exited, read])
        return happened
      },
    }
  },

  async close() {},
}
