/**
 * Open loop: transactions start by a clock, evenly spaced, whether earlier ones are answered or not; the time of each
 * counts from when it should have started. A stall therefore shows in all that it delayed (no coordinated omission).
 */
import { now } from '../clock.ts'
import { percentile } from '../statistics.ts'
import type { Jobs, PacedResult } from './jobs.ts'
import { type Client, closeAll, openClients, resultOf } from './load.ts'
import { renew } from './scripts.ts'
import { startTicker } from './ticker.ts'

interface PacedClient extends Client {
  at: number
  intended: number
}

export async function runPaced(load: Jobs['paced']['asked']): Promise<PacedResult> {
  const clients = await openClients(load)
  const total = Math.max(1, Math.round(load.rate * load.seconds))
  const took = new Float64Array(total)
  const late: number[] = []
  const used = process.cpuUsage()
  const ticker = startTicker({ everyMs: 1000 / load.rate, times: total })
  const began = now()

  await new Promise<void>((resolve, reject) => {
    const free: PacedClient[] = []
    const waiting: number[] = []
    let answered = 0

    function start(client: PacedClient, intended: number): void {
      client.intended = intended
      client.at = 0
      renew(client.steps)
      next(client)
    }

    function next(client: PacedClient): void {
      const step = client.steps[client.at++]
      if (step !== undefined) {
        client.connection.send(step.bytes)
        return
      }
      took[answered++] = now() - client.intended
      if (answered === total) resolve()
      const overdue = waiting.shift()
      if (overdue === undefined) free.push(client)
      else start(client, overdue)
    }

    for (const { connection, steps } of clients) {
      const client = { connection, steps, at: 0, intended: 0 }
      connection.onReady = () => next(client)
      connection.onError = reject
      free.push(client)
    }
    ticker.onTick((intended) => {
      const client = free.pop()
      if (client === undefined) {
        waiting.push(intended)
        return
      }
      late.push(now() - intended)
      start(client, intended)
    })
    ticker.failed.catch(reject)
  })

  const result = resultOf(began, used, total)
  await ticker.stop()
  await closeAll(clients)
  took.sort()
  return {
    ...result,
    p50Ms: percentile(took, 0.5),
    p99Ms: percentile(took, 0.99),
    // None was free at its time: then nothing says how late the clock was.
    lateMs: late.length === 0 ? 0 : percentile(Float64Array.from(late).sort(), 0.5),
  }
}
