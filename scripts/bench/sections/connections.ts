/** Connections: how fast they come and go, what one costs to open, and what many that do nothing cost. */
import { setTimeout as sleep } from 'node:timers/promises'
import { addPairs, addSpread, asDifference, asRatio, type Bench, nameOf, step } from '../bench.ts'
import { hasProcesses, residentBytes } from '../cpu.ts'
import { shopUser } from '../../../src/demo/shop.ts'
import type { Connects } from '../driver/jobs.ts'
import { startDriver } from '../driver/driver.ts'
import type { Subject } from '../figures.ts'
import { type Room, roomFor } from '../room.ts'
import { inRounds } from '../rounds.ts'
import { median } from '../statistics.ts'
import { runPgbenchHere } from '../throughput.ts'
import { cliWay, directLane, type Lane, lanesOf, type Way, waysNamed } from '../ways.ts'

const churnClients = 8

export async function measureConnections(bench: Bench): Promise<void> {
  const { world, settings } = bench
  await world.tables.transactions(settings.scale)
  const ways = await waysNamed(['direct', 'pgbouncer', 'gateway', 'cli'], world)
  await bench.spinners.during(async () => {
    await measureChurn(bench, lanesOf(ways, world.pgbench !== undefined))
    await measureNew(bench, lanesOf(ways, false))
  })
  const room = roomFor(settings.idleConnections)
  bench.note(`connections: ${room.why ?? `${room.connections} idle ones`}`)
  for (const way of ways) {
    if (way.name === 'gateway' || (settings.quick && way.name === 'pgbouncer')) continue
    if (way.name === 'cli') await measureIdleDoor(bench, room)
    else await measureIdle(bench, way, room)
    await step(bench, `connections: waiting until those of ${way.name} are gone`, () => quiet(bench))
  }
}

/** Processes of their own: what earlier sections left in the memory of the others would be in the difference. */
async function measureIdleDoor(bench: Bench, room: Room): Promise<void> {
  const door = await bench.world.openDoor({ door: 'demo' })
  try {
    const way = cliWay(door)
    // So that what is loaded once is there already.
    await step(bench, 'connections: warming up cli', () =>
      bench.world.driver().run('connect', { reach: way.reach, times: warmConnections }),
    )
    await measureIdle(bench, way, room)
  } finally {
    await door.stop()
  }
}

const warmConnections = 20

/** A pooler keeps its own connections for a while. */
async function quiet({ world }: Bench): Promise<void> {
  const deadline = performance.now() + 60_000
  for (;;) {
    const [row] = await world.server.query('SELECT count(*)::int AS open FROM pg_stat_activity WHERE usename = $1', [
      shopUser,
    ])
    if (Number(row?.open) < fewConnections) return
    if (performance.now() > deadline) throw new Error(`${row?.open} connections are still open`)
    await sleep(200)
  }
}

const fewConnections = 50

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
    step(bench, `connections: new ones, round ${round + 1}, ${nameOf(lane)}`, () =>
      bench.world.driver().run('connect', { reach: lane.way.reach, times }),
    ),
  )
  const kinds = [
    { what: 'new connection', of: ({ readyMs }: Connects) => median(readyMs) },
    { what: 'new connection, to its first row', of: ({ answeredMs }: Connects) => median(answeredMs) },
  ]
  for (const { what, of } of kinds)
    for (const [lane, taken] of samples) {
      const row: Subject = { section: 'connections', what, way: lane.way.name, tool: lane.tool }
      const ms = taken.map(of)
      addSpread(bench, row, 'ms', ms)
      if (lane.way.name === 'direct') continue
      const direct = samples.get(directLane(lanes, lane)) ?? []
      addPairs(bench, row, 'addedMs', [ms, direct.map(of)], asDifference)
    }
}

async function measureIdle(bench: Bench, way: Way, { connections }: Room): Promise<void> {
  const row: Subject = { section: 'connections', what: 'idle connections', way: way.name, tool: 'driver' }
  // Of its own: it holds them until it is stopped.
  const holder = startDriver()
  try {
    const before = memoryOf(way)
    await step(bench, `connections: opening ${connections} idle ones, ${way.name}`, () =>
      holder.run('idle', { reach: way.reach, connections }),
    )
    await step(bench, `connections: ${connections} idle ones, ${way.name}`, () =>
      sleep(bench.settings.settleSeconds * 1000),
    )
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
}

/** A second; slow enough for every way. */
const busyRate = 100

/** Gateway first. */
function memoryOf({ pids }: Way): readonly number[] {
  if (!hasProcesses) return []
  return [pids.gateway, pids.cli, pids.pgbouncer].filter((pid) => pid !== undefined).map(residentBytes)
}
