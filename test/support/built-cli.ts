/** The built program as a child process, the way people run it. `npm test` builds it first. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const program = fileURLToPath(new URL('../../bin/hoop.js', import.meta.url))
const built = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export type Env = Readonly<Record<string, string>>

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs to its end. Its environment is `env` and what a program needs to start, nothing else of ours. */
export async function hoop(args: readonly string[], env: Env): Promise<Ended> {
  const child = start(args, env)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}

export interface Connected {
  readonly session: string
  readonly url: string
  readonly port: number
  /** With a Kubernetes target. */
  readonly kubeconfig: string | undefined
  readonly stderr: () => string
  /** Ctrl-C; resolves to the exit code. */
  stop(): Promise<number | null>
}

/** `hoop connect TARGET --json`, until it says that the port is open. */
export async function hoopConnect(target: string, env: Env, ...flags: string[]): Promise<Connected> {
  const child = start(['connect', target, '--json', ...flags], env)
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  if (child.stdout === null) throw new Error('no stdout')
  const ended = once(child, 'close')
  const opened = await openedIn(createInterface({ input: child.stdout }))
  if (opened === undefined) throw new Error(`hoop connect ended: ${stderr}`)
  const [open] = opened.targets
  if (open === undefined) throw new Error('hoop connect opened nothing')
  return {
    session: opened.session,
    url: open.url,
    port: open.port,
    kubeconfig: opened.kubeconfig,
    stderr: () => stderr,
    stop: async () => {
      child.kill('SIGINT')
      const [code] = await ended
      return code
    },
  }
}

interface Opened {
  readonly session: string
  readonly kubeconfig?: string
  readonly targets: readonly { readonly url: string; readonly port: number }[]
}

/** The line that says so; one about another port than last time may come before it. */
async function openedIn(lines: AsyncIterable<string>): Promise<Opened | undefined> {
  for await (const line of lines) {
    const said = JSON.parse(line) as { event: string } & Opened
    if (said.event === 'open') return said
  }
  return undefined
}

function start(args: readonly string[], env: Env): ChildProcess {
  if (!existsSync(built)) throw new Error('the program is not built: run "npm run build" first')
  return spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: env.XDG_STATE_HOME ?? '/nonexistent', NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

export interface RunningGateway {
  readonly url: string
  readonly pid: number
  /** Ctrl-C, or a crash. */
  end(signal: 'SIGINT' | 'SIGKILL'): Promise<void>
}

/** `hoop gateway --config FILE --json`, until it says where it is. */
export async function hoopGateway(configFile: string, log: string): Promise<RunningGateway> {
  const child = start(['gateway', '--config', configFile, '--json', '--log-file', log], {})
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  if (child.stdout === null || child.pid === undefined) throw new Error('no stdout')
  const lines = createInterface({ input: child.stdout })
  const ended = once(child, 'close')
  const first = await Promise.race([once(lines, 'line'), ended.then(() => undefined)])
  if (first === undefined) throw new Error(`hoop gateway ended: ${stderr}`)
  const { url } = JSON.parse(String(first[0])) as { url: string }
  return {
    url,
    pid: child.pid,
    async end(signal) {
      child.kill(signal)
      await ended
    },
  }
}

/**
 * Is this tool here? On a developer's machine its tests are left out, loudly; in CI a missing tool is a failure.
 */
export function isInstalled(tool: string, ...probe: string[]): boolean {
  const found = spawnSync(tool, probe, { stdio: 'ignore' }).status === 0
  if (found) return true
  if (process.env.CI !== undefined) throw new Error(`${tool} is missing, and CI has to have it`)
  console.warn(`LEFT OUT: the tests with ${tool}, because "${[tool, ...probe].join(' ')}" does not work here`)
  return false
}
