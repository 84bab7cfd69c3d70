/** Connections: how fast they come and go, what one costs to open, and what many that do nothing cost. */
import { setTimeout as sleep } from 'node:timers/promises'
import { addPairs, addSpread, asDifference, asRatio, type Bench, nameOf, step } from '../bench.ts'
import { hasProcesses, residentBytes } from '../cpu.ts'
import { startDriver } from '../driver/driver.ts'
import type { Subject } from '../figures.ts'
import { roomFor } from '../room.ts'
import { inRounds } from '../rounds.ts'
import { median } from '../statistics.ts'
import { runPgbenchHere } from '../throughput.ts'
import { directLane, type Lane, lanesOf, type Way, waysNamed } from '../ways.ts'

const churnClients = 8
/** Until what was allocated while opening has been given back, or will not be. */
const settleMs = 3000

export async function measureConnections(bench: Bench): Promise<void> {
  const { world, settings } = bench
  await world.tables.transactions(settings.scale)
  const ways = await waysNamed(['direct', 'pgbouncer', 'gateway', 'cli'], world)
  await bench.spinners.during(async () => {
    await measureChurn(bench, lanesOf(ways, world.pgbench !== undefined))
    await measureNew(bench, lanesOf(ways, false))
  })
  for (const way of ways) if (way.name !== 'gateway') await measureIdle(bench, way)
}

async function measureChurn(bench: Bench, lanes: readonly Lane[]): Promise<void> {
  const what = `connect, ask, go: ${churnClients} clients`
  const samples = await inRounds(bench.settings.rounds, lanes, (lane, round) =>
    step(bench, `connections: churn, round ${round + 1}, ${nameOf(lane)}`, () => churn(bench, lane)),
  )
  for (const [lane, rates] of samples) {
    const row: Subject = { section: 'connections', what, way: lane.way.name, tool: lane.tool }
    addSpread(bench, row, 'connectsPerS', rates)
    if (lane.way.name !== 'direct')
      addPairs(bench, row, 'ratio', [rates, samples.get(directLane(lanes, lane)) ?? []], asRatio)
  }
}

async function churn(bench: Bench, { way, tool }: Lane): Promise<number> {
  const load = { reach: way.reach, clients: churnClients, seconds: bench.settings.seconds }
  const { transactions, from, to } =
    tool === 'driver'
      ? await bench.world.driver().run('churn', load)
      : await runPgbenchHere(bench, { ...load, churn: true })
  return transactions / ((to - from) / 1000)
}

async function measureNew(bench: Bench, lanes: readonly Lane[]): Promise<void> {
  const { newConnections: times, rounds } = bench.settings
  const samples = await inRounds(rounds, lanes, (lane, round) =>
    step(bench, `connections: new ones, round ${round + 1}, ${nameOf(lane)}`, async () => {
      const { ms } = await bench.world.driver().run('connect', { reach: lane.way.reach, times })
      return median(ms)
    }),
  )
  for (const [lane, ms] of samples) {
    const row: Subject = { section: 'connections', what: 'new connection', way: lane.way.name, tool: lane.tool }
    addSpread(bench, row, 'ms', ms)
    if (lane.way.name !== 'direct')
      addPairs(bench, row, 'addedMs', [ms, samples.get(directLane(lanes, lane)) ?? []], asDifference)
  }
}

async function measureIdle(bench: Bench, way: Way): Promise<void> {
  const { connections, why } = roomFor(bench.settings.idleConnections)
  if (why !== undefined) bench.note(`connections: ${why}`)
  const row: Subject = { section: 'connections', what: 'idle connections', way: way.name, tool: 'driver' }
  // Of its own: it holds them until it is stopped.
  const holder = startDriver()
  try {
    const before = memoryOf(way)
    await step(bench, `connections: opening ${connections} idle ones, ${way.name}`, () =>
      holder.run('idle', { reach: way.reach, connections }),
    )
    await step(bench, `connections: ${connections} idle ones, ${way.name}`, () => sleep(settleMs))
    const each = memoryOf(way).map((bytes, at) => (bytes - (before[at] ?? 0)) / connections / 1024)
    const [gateway, cli] = each
    if (way.name === 'cli' && gateway !== undefined && cli !== undefined) {
      addSpread(bench, row, 'kbGateway', [gateway])
      addSpread(bench, row, 'kbCli', [cli])
    }
    if (each.length > 0) addSpread(bench, row, 'kb', [each.reduce((sum, one) => sum + one, 0)])
    const one = { reach: way.reach, script: 'select', protocol: 'prepared', clients: 1 } as const
    const busy = await step(bench, `connections: one busy among ${connections} idle ones, ${way.name}`, () =>
      bench.world.driver().run('paced', { ...one, seconds: bench.settings.latencySeconds, rate: busyRate }),
    )
    addSpread(bench, row, 'p50', [busy.p50Ms])
    addSpread(bench, row, 'p99', [busy.p99Ms])
  } finally {
    await holder.stop()
  }
  bench.note(`connections: ${connections} idle ones on ${way.name}`)
}

/** A second; slow enough for every way. */
const busyRate = 200

/** Gateway first. */
function memoryOf({ pids }: Way): readonly number[] {
  if (!hasProcesses) return []
  return [pids.gateway, pids.cli, pids.pgbouncer].filter((pid) => pid !== undefined).map(residentBytes)
}
