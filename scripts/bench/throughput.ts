/** Transactions a second on one lane, and what each of them cost every process in it. */
import type { Bench } from './bench.ts'
import { addPairs, addSpread, asRatio, nameOf, step } from './bench.ts'
import { watchCpu } from './cpu.ts'
import type { Load, LoadResult } from './driver/jobs.ts'
import type { Measure, Subject } from './figures.ts'
import { runPgbench } from './pgbench.ts'
import { inRounds } from './rounds.ts'
import { directLane, type Lane, type Part } from './ways.ts'

type Work = Omit<Load, 'reach'>

export interface Sample {
  readonly tps: number
  /** Microseconds a transaction. */
  readonly cpu: Readonly<Partial<Record<Measure, number>>>
}

const measureOf: Readonly<Record<Part, Measure>> = {
  gateway: 'cpuGateway',
  cli: 'cpuCli',
  pgbouncer: 'cpuPgbouncer',
}
const cpuMeasures: readonly Measure[] = [...Object.values(measureOf), 'cpuDriver']

export async function measureLoad(bench: Bench, { way, tool }: Lane, work: Work): Promise<Sample> {
  const watch = watchCpu(Object.values(way.pids))
  const load = { ...work, reach: way.reach }
  const result = tool === 'driver' ? await bench.world.driver().run('load', load) : await runPgbenchHere(bench, load)
  const used = watch.stop(result)
  const cpu: Partial<Record<Measure, number>> = {}
  for (const [part, pid] of Object.entries(way.pids) as [Part, number][]) {
    const micros = used.get(pid)
    if (micros !== undefined) cpu[measureOf[part]] = micros / result.transactions
  }
  if ('cpuMicros' in result) cpu.cpuDriver = Number(result.cpuMicros) / result.transactions
  return { tps: result.transactions / ((result.to - result.from) / 1000), cpu }
}

export function runPgbenchHere(
  bench: Bench,
  load: Parameters<typeof runPgbench>[1],
): Promise<Omit<LoadResult, 'cpuMicros'>> {
  const { pgbench } = bench.world
  if (pgbench === undefined) throw new Error('pgbench is not installed')
  return runPgbench({ tool: pgbench, signal: bench.signal }, load)
}

/** Load before anything counts, so that the first round of a way is like its others. */
export async function warmUp(bench: Bench, lanes: readonly Lane[], work: Omit<Work, 'seconds'>): Promise<void> {
  for (const { way } of lanes)
    await step(bench, `warming up ${way.name}`, () =>
      bench.world.driver().run('load', { ...work, reach: way.reach, seconds: bench.settings.warmUpSeconds }),
    )
}

export async function measureLanes(
  bench: Bench,
  lanes: readonly Lane[],
  subject: Pick<Subject, 'section' | 'what'>,
  work: Work,
  before: () => Promise<void> = async () => {},
): Promise<ReadonlyMap<Lane, readonly Sample[]>> {
  const samples = await inRounds(bench.settings.rounds, lanes, async (lane, round) => {
    await before()
    return step(bench, `${subject.section}: ${subject.what}, round ${round + 1}, ${nameOf(lane)}`, () =>
      measureLoad(bench, lane, work),
    )
  })
  for (const [lane, taken] of samples) {
    const row: Subject = { ...subject, way: lane.way.name, tool: lane.tool }
    const tps = tpsOf(taken)
    addSpread(bench, row, 'tps', tps)
    if (lane.way.name !== 'direct')
      addPairs(bench, row, 'ratio', [tps, tpsOf(samples.get(directLane(lanes, lane)))], asRatio)
    for (const measure of cpuMeasures)
      addSpread(
        bench,
        row,
        measure,
        taken.flatMap(({ cpu }) => cpu[measure] ?? []),
      )
  }
  return samples
}

export function tpsOf(samples: readonly Sample[] | undefined): readonly number[] {
  return samples?.map(({ tps }) => tps) ?? []
}
