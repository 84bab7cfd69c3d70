/** wrk (https://github.com/wg/wrk): as many requests as it gets answered, and how long each took. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Installed } from '../tools.ts'

export interface Load {
  readonly port: number
  readonly path: string
  readonly connections: number
  readonly seconds: number
}

export interface Loaded {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export async function runWrk(tool: Installed, load: Load, signal: AbortSignal): Promise<Loaded> {
  const { port, path, connections, seconds } = load
  const args = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '10s', '--latency']
  const child = spawn(tool.path, [...args, `http://127.0.0.1:${port}${path}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  })
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += String(chunk)
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`wrk ended with ${code}`)
  return readWrk(said)
}

/** Pure. Anything but answers as they should be is an error: it would be measured as speed. */
export function readWrk(said: string): Loaded {
  const wrong = said.match(/^\s*(Non-2xx.*|Socket errors.*)$/m)?.[1]
  if (wrong !== undefined) throw new Error(`wrk counted what is no answer: ${wrong}`)
  const perSecond = Number(said.match(/^Requests\/sec:\s*([\d.]+)$/m)?.[1])
  const percentile = (share: number) => {
    const [, value, unit] = said.match(new RegExp(`^\\s*${share}%\\s+([\\d.]+)(us|ms|s)\\s*$`, 'm')) ?? []
    return Number(value) * (unit === 'us' ? 0.001 : unit === 'ms' ? 1 : 1000)
  }
  const loaded = { perSecond, p50Ms: percentile(50), p99Ms: percentile(99) }
  if (Object.values(loaded).some((value) => !(value > 0))) throw new Error(`wrk said something else: ${said}`)
  return loaded
}
