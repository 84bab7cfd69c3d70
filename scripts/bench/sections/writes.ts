/** pgbench's default transaction: seven statements, three of them updates, and a commit that the server flushes. */
import type { Bench } from '../bench.ts'
import { tidyTransactions } from '../tables.ts'
import { measureLanes, warmUp } from '../throughput.ts'
import { everyWay, lanesOf, waysNamed } from '../ways.ts'

const clients = 8

export async function measureWrites(bench: Bench): Promise<void> {
  const { world, settings } = bench
  await world.tables.transactions(settings.scale)
  const names = settings.quick ? (['direct', 'pgbouncer', 'gateway', 'cli'] as const) : everyWay
  const lanes = lanesOf(await waysNamed(names, world), world.pgbench !== undefined)
  await bench.spinners.during(async () => {
    await warmUp(bench, lanes, { script: 'tpcb', protocol: 'simple', clients })
    await measureLanes(
      bench,
      lanes,
      { section: 'writes', what: `read-write, ${clients} clients` },
      { script: 'tpcb', protocol: 'simple', clients, seconds: settings.seconds },
      () => tidyTransactions(world.server),
    )
  })
}
