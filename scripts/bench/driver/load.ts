/**
 * Closed loop: each client asks again when it has its answer. And the same with a new connection for each question.
 * A connection has asked once before the time begins: what a proxy has to find out about it is not a transaction's cost.
 */
import { now } from '../clock.ts'
import type { Jobs, Load, LoadResult } from './jobs.ts'
import { type Connection, oneQuestion, openConnection } from './connection.ts'
import { createScript, renew, type Step } from './scripts.ts'

export async function runLoad(load: Load): Promise<LoadResult> {
  const clients = await openClients(load)
  const used = process.cpuUsage()
  const began = now()
  const end = began + load.seconds * 1000
  const counts = await Promise.all(clients.map((client) => askUntil(client, end)))
  const result = resultOf(began, used, sum(counts))
  await closeAll(clients)
  return result
}

export interface Client {
  readonly connection: Connection
  readonly steps: readonly Step[]
}

export async function openClients({ reach, clients, script: name, protocol }: Load): Promise<readonly Client[]> {
  const script = createScript(name, protocol)
  const opened: Client[] = []
  for (let client = 0; client < clients; client++) {
    const connection = await openConnection(reach)
    if (script.prepare !== undefined) await connection.ask(script.prepare)
    opened.push({ connection, steps: script.steps() })
  }
  await Promise.all(opened.map((client) => askUntil(client, now())))
  return opened
}

export async function closeAll(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map(({ connection }) => connection.close()))
}

/** Once at least; gives back how often. */
function askUntil({ connection, steps }: Client, end: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let count = 0
    let at = 0
    connection.onError = reject
    connection.onReady = () => {
      const step = steps[at]
      if (step !== undefined) {
        at++
        connection.send(step.bytes)
        return
      }
      count++
      if (now() >= end) resolve(count)
      else start()
    }
    function start(): void {
      renew(steps)
      at = 0
      connection.onReady()
    }
    start()
  })
}

export async function runChurn({ reach, clients, seconds }: Jobs['churn']['asked']): Promise<LoadResult> {
  const used = process.cpuUsage()
  const began = now()
  const end = began + seconds * 1000
  const counts = Array.from({ length: clients }, async () => {
    let count = 0
    while (now() < end) {
      const connection = await openConnection(reach)
      await connection.ask(oneQuestion)
      await connection.close()
      count++
    }
    return count
  })
  return resultOf(began, used, sum(await Promise.all(counts)))
}

export async function connectOften({ reach, times }: Jobs['connect']['asked']): Promise<Jobs['connect']['answered']> {
  const readyMs: number[] = []
  const answeredMs: number[] = []
  for (let time = 0; time < times; time++) {
    const began = now()
    const connection = await openConnection(reach)
    readyMs.push(now() - began)
    await connection.ask(oneQuestion)
    answeredMs.push(now() - began)
    await connection.close()
  }
  return { readyMs, answeredMs }
}

export function resultOf(began: number, used: NodeJS.CpuUsage, transactions: number): LoadResult {
  const { user, system } = process.cpuUsage(used)
  return { transactions, from: began, to: now(), cpuMicros: user + system }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
