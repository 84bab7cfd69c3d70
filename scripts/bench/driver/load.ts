/** Closed loop: each client asks again when it has its answer. And the same with a new connection for each question. */
import { now } from '../clock.ts'
import type { Jobs, Load, LoadResult } from './jobs.ts'
import { type Connection, oneQuestion, openConnection } from './connection.ts'
import { createScript, renew, type Script, type Step } from './scripts.ts'

export async function runLoad(load: Load): Promise<LoadResult> {
  const connections = await openClients(load)
  const script = createScript(load.script, load.protocol)
  const used = process.cpuUsage()
  const began = now()
  const end = began + load.seconds * 1000
  const counts = await Promise.all(connections.map((connection) => askUntil(connection, script.steps(), end)))
  const result = resultOf(began, used, sum(counts))
  await closeAll(connections)
  return result
}

export async function openClients({ reach, clients, script, protocol }: Load): Promise<readonly Connection[]> {
  const { prepare }: Script = createScript(script, protocol)
  const connections: Connection[] = []
  for (let client = 0; client < clients; client++) {
    const connection = await openConnection(reach)
    if (prepare !== undefined) await connection.ask(prepare)
    connections.push(connection)
  }
  return connections
}

export async function closeAll(connections: readonly Connection[]): Promise<void> {
  await Promise.all(connections.map((connection) => connection.close()))
}

function askUntil(connection: Connection, steps: readonly Step[], end: number): Promise<number> {
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
  const ms: number[] = []
  for (let time = 0; time < times; time++) {
    const began = now()
    const connection = await openConnection(reach)
    ms.push(now() - began)
    await connection.close()
  }
  return { ms }
}

export function resultOf(began: number, used: NodeJS.CpuUsage, transactions: number): LoadResult {
  const { user, system } = process.cpuUsage(used)
  return { transactions, from: began, to: now(), cpuMicros: user + system }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
