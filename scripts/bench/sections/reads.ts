/** Small reads: `pgbench -S` in each protocol. The worst case for a proxy: the server itself has next to nothing to do. */
import { addPairs, asRatio, type Bench } from '../bench.ts'
import type { WayName } from '../figures.ts'
import { type Protocol, protocols } from '../settings.ts'
import { measureLanes, type Sample, tpsOf, warmUp } from '../throughput.ts'
import { everyWay, type Lane, lanesOf, waysNamed } from '../ways.ts'

/** In a quick run all ways are compared where most targets stand, and these elsewhere. */
const mainWays: readonly WayName[] = ['direct', 'gateway', 'cli']

interface Cell {
  readonly protocol: Protocol
  readonly clients: number
  readonly ways: readonly WayName[]
}

export async function measureReads(bench: Bench): Promise<void> {
  const { world, settings } = bench
  await world.tables.transactions(settings.scale)
  const all = await waysNamed(everyWay, world)
  const lanesFor = (names: readonly WayName[]) =>
    lanesOf(
      all.filter(({ name }) => names.includes(name)),
      world.pgbench !== undefined,
    )
  await bench.spinners.during(async () => {
    for (const protocol of settings.quick ? (['prepared'] as const) : protocols)
      await warmUp(bench, lanesFor(everyWay), { script: 'select', protocol, clients: 8 })
    for (const { protocol, clients, ways } of settings.quick ? quickCells : wholeCells) {
      const what = `${protocol}, ${clients === 1 ? '1 client' : `${clients} clients`}`
      const samples = await measureLanes(
        bench,
        lanesFor(ways),
        { section: 'reads', what },
        { script: 'select', protocol, clients, seconds: settings.seconds },
      )
      compareRules(bench, what, samples)
    }
  })
}

const wholeCells: readonly Cell[] = [
  ...protocols.flatMap((protocol) => [1, 8, 32].map((clients) => ({ protocol, clients, ways: everyWay }))),
  { protocol: 'prepared', clients: 16, ways: everyWay },
]

const quickCells: readonly Cell[] = [
  { protocol: 'simple', clients: 8, ways: [...mainWays, 'gateway-unflushed', 'cli-rules'] },
  { protocol: 'extended', clients: 8, ways: [...mainWays, 'gateway-unflushed'] },
  { protocol: 'prepared', clients: 8, ways: everyWay.filter((way) => way !== 'cli-unflushed') },
  { protocol: 'prepared', clients: 16, ways: ['direct', 'cli'] },
  { protocol: 'prepared', clients: 32, ways: mainWays },
]

/** 200 rules are compared with the demo's five, not with a direct connection. */
function compareRules(bench: Bench, what: string, samples: ReadonlyMap<Lane, readonly Sample[]>): void {
  const of = (name: WayName) => [...samples].find(([{ way }]) => way.name === name)
  const many = of('cli-rules')
  const few = of('cli')
  if (many === undefined || few === undefined) return
  const subject = { section: 'reads', what, way: 'cli-rules', tool: many[0].tool } as const
  addPairs(bench, subject, 'ofFewRules', [tpsOf(many[1]), tpsOf(few[1])], asRatio)
}
