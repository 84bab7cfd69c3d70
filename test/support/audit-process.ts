/** Talks to dying-audit.ts. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export interface AuditProcess {
  readonly pid: number
  /** `durable`, or `refused …`. */
  append(batch: readonly object[]): Promise<string>
  kill(): Promise<void>
  /** In good order. */
  close(): Promise<void>
}

/** `wrap`: a program and its arguments to start it under. */
export async function startAuditProcess(
  path: string,
  wrap: readonly string[] = [],
  stallMs = 15_000,
): Promise<AuditProcess> {
  const program = fileURLToPath(new URL('dying-audit.ts', import.meta.url))
  const [file = process.execPath, ...args] = [...wrap, process.execPath, program, path, String(stallMs)]
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async (): Promise<string> => String((await lines.next()).value)
  const said = await nextLine()
  if (said !== 'ready' || child.pid === undefined) throw new Error(`the audit process did not start: ${said}`)

  return {
    pid: child.pid,
    append(batch) {
      child.stdin.write(`${JSON.stringify(batch)}\n`)
      return nextLine()
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    async close() {
      child.stdin.end()
      await exited
    },
  }
}
