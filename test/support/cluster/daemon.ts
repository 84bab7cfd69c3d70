/** A server as a child process: its output goes into a file, and it is told to end by its id. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { get } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'

export interface Daemon {
  /** undefined while it runs; how it ended otherwise. */
  trouble(): string | undefined
  stop(): Promise<void>
}

export function launch(program: string, log: string, args: readonly string[]): Daemon {
  const output = openSync(log, 'w', 0o600)
  const child = spawn(program, args, { stdio: ['ignore', output, output] })
  closeSync(output)
  let trouble: string | undefined
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      trouble = `${program} does not start: ${error.message}`
      resolve()
    })
    child.once('exit', (code, signal) => {
      trouble = `${program} ended (${signal ?? code}):\n${readFileSync(log, 'utf8').slice(-4000)}`
      resolve()
    })
  })
  return {
    trouble: () => trouble,
    async stop() {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 5000)
      await ended
      clearTimeout(late)
    },
  }
}

export interface Readiness {
  /** PEM file. */
  readonly ca: string
  readonly token: string
  readonly daemons: readonly Daemon[]
}

const patienceMs = 90_000

/** Until the address answers 200, or one of the daemons that it needs has ended. */
export async function untilReady(url: string, { ca, token, daemons }: Readiness): Promise<void> {
  const deadline = performance.now() + patienceMs
  let answer = ''
  while (performance.now() < deadline) {
    const trouble = daemons.map((daemon) => daemon.trouble()).find((found) => found !== undefined)
    if (trouble !== undefined) throw new Error(trouble)
    const request = get(url, { ca: readFileSync(ca), headers: { authorization: `Bearer ${token}` } })
    try {
      const [response] = await once(request, 'response')
      answer = `${response.statusCode} ${Buffer.concat(await response.toArray())}`
      if (response.statusCode === 200) return
    } catch (error) {
      answer = String(error)
    }
    await pause(100)
  }
  throw new Error(`${url} is not ready: ${answer}`)
}
