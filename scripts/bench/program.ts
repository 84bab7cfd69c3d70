/** The built program, as people run it: started, and stopped as Ctrl-C stops it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const program = fileURLToPath(new URL('../../bin/hoop.js', import.meta.url))
const built = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface Start {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Appended to: what it says on stderr. */
  readonly log: string
  /** Of Node itself. */
  readonly flags?: readonly string[]
  /** Told if it ends without being stopped. */
  readonly onEnd?: (error: Error) => void
}

export interface Running<Said> {
  readonly pid: number
  readonly said: Said
  stop(): Promise<void>
}

/** `hoop gateway --json` says this when it is ready. */
export const gatewaySaid = z.object({ url: z.string() })
/** `hoop connect TARGET --json` says this when the port is open. */
export const connectSaid = z.object({ event: z.literal('open'), targets: z.tuple([z.object({ port: z.int() })]) })

/** Until a line of what it says has the shape that it is ready with. */
export async function startProgram<Said>(start: Start, ready: z.ZodType<Said>): Promise<Running<Said>> {
  const { child, ended } = await spawnProgram(start)
  const said = await Promise.race([firstOf(child, ready), ended.then(() => undefined)])
  if (said === undefined || child.pid === undefined)
    throw new Error(`hoop ${start.args[0]} ended at once: ${await tailOf(start.log)}`)
  let stopping = false
  ended
    .then(async () => {
      if (stopping) return
      const how = child.signalCode ?? `exit ${child.exitCode}`
      start.onEnd?.(new Error(`hoop ${start.args[0]} ended by itself (${how}): ${await tailOf(start.log)}`))
    })
    .catch(() => undefined)
  return {
    pid: child.pid,
    said,
    async stop() {
      stopping = true
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT')
      await ended
    },
  }
}

/** To its end; throws if that is not a good one. */
export async function runProgram(start: Start): Promise<void> {
  const { child, ended } = await spawnProgram(start)
  child.stdout?.resume()
  await ended
  if (child.exitCode !== 0)
    throw new Error(`hoop ${start.args.join(' ')} ended with ${child.exitCode}: ${await tailOf(start.log)}`)
}

async function spawnProgram({ args, env, log, flags = [] }: Start) {
  if (!existsSync(built)) throw new Error('the program is not built: run "npm run build" first')
  const errors = await open(log, 'a')
  const child = spawn(process.execPath, [...flags, program, ...args], {
    env: { PATH: process.env.PATH ?? '', NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', errors.fd],
    // A group of its own: Ctrl-C in the terminal is ours to handle, and this ends when we say so.
    detached: true,
  })
  const ended = once(child, 'close').then(() => undefined)
  await errors.close()
  return { child, ended }
}

/** What it says later is read too, so that a full pipe never stops it. */
function firstOf<Said>({ stdout }: ChildProcess, ready: z.ZodType<Said>): Promise<Said> {
  if (stdout === null) throw new Error('no stdout')
  const lines = createInterface({ input: stdout })
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      const { success, data } = ready.safeParse(JSON.parse(line))
      if (success) resolve(data)
    })
  })
}

async function tailOf(log: string): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => '')
  return text.trim().slice(-1000) || 'it said nothing'
}
