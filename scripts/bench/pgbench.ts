/** The real pgbench: its command line, and what it says afterwards. A run that was not perfect is an error, in its words. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { now } from './clock.ts'
import type { Load, LoadResult } from './driver/jobs.ts'
import type { Installed } from './tools.ts'

export interface PgbenchOptions {
  readonly tool: Installed
  readonly signal: AbortSignal
}

/** Connects anew for each transaction if there is no protocol to speak of. */
export type PgbenchLoad = Omit<Load, 'script' | 'protocol'> &
  (Pick<Load, 'script' | 'protocol'> | { readonly churn: true })

type Result = Omit<LoadResult, 'cpuMicros'>

/**
 * Of its time, the first second counts for nothing: clients connect in it, and a proxy finds out about each of them. What
 * else that took on a way is added from then on.
 */
const unmeasuredSeconds = 1
const extraSeconds = new Map<string, number>()
const mostExtraSeconds = 6
/** Of the time that was asked for: less is measured again. */
const enough = 0.75

export async function runPgbench(options: PgbenchOptions, load: PgbenchLoad): Promise<Result> {
  const key = JSON.stringify([load.reach, load.clients, 'churn' in load])
  for (;;) {
    const extra = extraSeconds.get(key) ?? 0
    const seconds = load.seconds + extra + ('churn' in load ? 0 : unmeasuredSeconds)
    const result = await runOnce(options, load, seconds)
    const measured = (result.to - result.from) / 1000
    if (result.transactions > 0 && (measured >= load.seconds * enough || extra >= mostExtraSeconds)) return result
    if (extra >= mostExtraSeconds) throw new Error(`pgbench finished not one transaction in ${seconds} seconds`)
    extraSeconds.set(key, Math.min(mostExtraSeconds, extra + Math.max(1, Math.ceil(load.seconds - measured))))
  }
}

async function runOnce({ tool, signal }: PgbenchOptions, load: PgbenchLoad, seconds: number): Promise<Result> {
  const { reach, clients } = load
  if (reach.kind !== 'tcp') throw new Error('pgbench goes over TCP only')
  const how =
    'churn' in load
      ? ['--connect', '--builtin=select-only']
      : [
          `--progress=${unmeasuredSeconds}`,
          `--protocol=${load.protocol}`,
          `--builtin=${load.script === 'select' ? 'select-only' : 'tpcb-like'}`,
        ]
  const args = [
    ...['--host=127.0.0.1', `--port=${reach.port}`, `--username=${reach.user}`],
    // The tables are vacuumed by the bench: TRUNCATE, which pgbench would do, is held by the demo's rules.
    ...['--no-vacuum', ...how, `--client=${clients}`, '--jobs=1', `--time=${seconds}`],
    reach.database,
  ]
  const child = spawn(tool.path, args, {
    env: {
      PATH: process.env.PATH ?? '',
      LC_ALL: 'C',
      PGSSLMODE: 'disable',
      PGGSSENCMODE: 'disable',
      PGPASSWORD: reach.password ?? '',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      said += data
    })
  const [code] = await once(child, 'close')
  const to = now()
  const { transactions, seconds: measured } = readPgbench(code, said)
  // By its own measure; it ends right after its last transaction.
  return { transactions, from: to - measured * 1000, to }
}

/** Pure. What came behind its first word of progress, or all if it said none. Throws what it complained of. */
export function readPgbench(
  code: number | null,
  said: string,
): { readonly transactions: number; readonly seconds: number } {
  const number = (pattern: RegExp) => Number(said.match(pattern)?.[1] ?? Number.NaN)
  const all = number(/^number of transactions actually processed: (\d+)/m)
  const tps = number(/^tps = ([\d.]+)/m)
  const failed = number(/^number of failed transactions: (\d+)/m)
  if (code !== 0 || failed > 0 || Number.isNaN(all) || (all > 0 && !(tps > 0)))
    throw new Error(`pgbench failed (exit ${code}): ${complaintIn(said)}`)
  if (all === 0) return { transactions: 0, seconds: 0 }
  const [, until, rate] = said.match(/^progress: ([\d.]+) s, ([\d.]+) tps/m) ?? []
  if (until === undefined) return { transactions: all, seconds: all / tps }
  // Progress counts from before connecting, the rate at the end from behind it.
  const connecting = number(/^initial connection time = ([\d.]+) ms/m) / 1000
  return {
    transactions: Math.max(0, Math.round(all - Number(until) * Number(rate))),
    seconds: Math.max(0, connecting + all / tps - Number(until)),
  }
}

function complaintIn(said: string): string {
  const lines = said.trim().split('\n')
  const errors = lines.filter((line) => /error|fatal|failed|aborted/i.test(line))
  return (errors.length > 0 ? errors : lines).slice(-3).join(' / ') || 'it said nothing'
}
