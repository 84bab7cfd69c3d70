/**
 * What a single transaction waits longer: at a fixed rate that every way can take, counted from when it should have
 * started. Medians with spinners, p99 without.
 */
import { addPairs, addSpread, asDifference, type Bench, nameOf, step } from '../bench.ts'
import type { PacedResult } from '../driver/jobs.ts'
import type { Measure, Subject } from '../figures.ts'
import { inRounds } from '../rounds.ts'
import { warmUp } from '../throughput.ts'
import { directLane, type Lane, lanesOf, waysNamed } from '../ways.ts'

const work = { script: 'select', protocol: 'prepared' } as const

export async function measureLatency(bench: Bench): Promise<void> {
  const { world, settings } = bench
  await world.tables.transactions(settings.scale)
  const ways = await waysNamed(['direct', 'pgbouncer', 'gateway-unflushed', 'gateway', 'cli-unflushed', 'cli'], world)
  const chosen = settings.quick ? ways.filter(({ name }) => !name.endsWith('unflushed')) : ways
  // Always the driver: only that has the same clock on all ways.
  const lanes = lanesOf(chosen, false)
  for (const clients of [1, 8]) {
    const what = clients === 1 ? '1 client' : `${clients} clients`
    const rate = await bench.spinners.during(async () => {
      await warmUp(bench, lanes, { ...work, clients })
      return halfOfSlowest(bench, lanes, clients)
    })
    const measure = () => paced(bench, lanes, what, clients, rate)
    addDelays(bench, lanes, what, rate, await bench.spinners.during(measure), 'p50')
    addDelays(bench, lanes, what, rate, await measure(), 'p99')
  }
}

/** One rate for all: latencies are only comparable under the same load. */
async function halfOfSlowest(bench: Bench, lanes: readonly Lane[], clients: number): Promise<number> {
  const most: number[] = []
  for (const lane of lanes) {
    const load = { ...work, reach: lane.way.reach, clients, seconds: bench.settings.ceilingSeconds }
    const { transactions, from, to } = await step(bench, `latency: the most of ${nameOf(lane)}`, () =>
      bench.world.driver().run('load', load),
    )
    most.push(transactions / ((to - from) / 1000))
  }
  return Math.max(1, Math.floor(Math.min(...most) / 2))
}

type Samples = ReadonlyMap<Lane, readonly PacedResult[]>

function paced(bench: Bench, lanes: readonly Lane[], what: string, clients: number, rate: number): Promise<Samples> {
  const { rounds, latencySeconds: seconds } = bench.settings
  return inRounds(rounds, lanes, (lane, round) =>
    step(bench, `latency: ${what} at ${rate} a second, round ${round + 1}, ${nameOf(lane)}`, () =>
      bench.world.driver().run('paced', { ...work, reach: lane.way.reach, clients, seconds, rate }),
    ),
  )
}

const delays = {
  p50: { added: 'addedP50', of: ({ p50Ms }: PacedResult) => p50Ms },
  p99: { added: 'addedP99', of: ({ p99Ms }: PacedResult) => p99Ms },
} as const satisfies Record<string, { added: Measure; of: (result: PacedResult) => number }>

function addDelays(
  bench: Bench,
  lanes: readonly Lane[],
  what: string,
  rate: number,
  samples: Samples,
  kind: keyof typeof delays,
): void {
  const { added, of } = delays[kind]
  for (const [lane, taken] of samples) {
    const row: Subject = { section: 'latency', what, way: lane.way.name, tool: lane.tool }
    const direct = samples.get(directLane(lanes, lane)) ?? []
    addSpread(bench, row, kind, taken.map(of))
    if (lane.way.name !== 'direct') addPairs(bench, row, added, [taken.map(of), direct.map(of)], asDifference)
    if (kind === 'p99') continue
    addSpread(bench, row, 'rate', [rate])
    addSpread(
      bench,
      row,
      'late',
      taken.map(({ lateMs }) => lateMs),
    )
  }
}
