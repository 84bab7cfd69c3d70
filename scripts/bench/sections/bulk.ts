/** A lot at once: a large SELECT with and without masks, and COPY out and in. By the driver, which reads and throws away. */
import { addPairs, addSpread, asRatio, type Bench, nameOf, step } from '../bench.ts'
import type { BulkResult } from '../driver/jobs.ts'
import type { Subject, WayName } from '../figures.ts'
import { inRounds } from '../rounds.ts'
import { shopDatabase } from '../../../src/demo/shop.ts'
import { type Lane, waysNamed } from '../ways.ts'

/** How a slow thing and its direct way are compared: as time (`2.5 ×`), or as speed (`0.7 of`). */
type Compare = 'time' | 'speed'

interface Task {
  readonly what: string
  readonly ways: readonly WayName[]
  readonly compare: Compare
  run(lane: Lane): Promise<BulkResult>
}

export async function measureBulk(bench: Bench): Promise<void> {
  const { world, settings } = bench
  const driver = world.driver()
  await step(bench, 'filling the large tables', () => world.tables.rows(settings.selectRows))
  const piece = await world.tables.copy(settings.copyBytes)
  bench.note(`bulk: SELECT of ${settings.selectRows} rows of 10 columns, COPY of ${settings.copyBytes / 1e6} MB`)
  const tasks: readonly Task[] = [
    {
      what: 'SELECT',
      ways: ['direct', 'pgbouncer', 'gateway', 'cli-bare', 'cli-columns', 'cli'],
      compare: 'time',
      run: ({ way }) => driver.run('fetch', { reach: way.reach, sql: 'SELECT * FROM bench_rows' }),
    },
    {
      what: 'COPY out',
      ways: ['direct', 'pgbouncer', 'gateway', 'cli-bare', 'cli'],
      compare: 'speed',
      run: ({ way }) => driver.run('fetch', { reach: way.reach, sql: 'COPY bench_copy TO STDOUT' }),
    },
    {
      what: 'COPY in',
      ways: ['direct', 'pgbouncer', 'gateway', 'cli'],
      compare: 'speed',
      async run({ way }) {
        // By the server's owner: the demo's rules hold a TRUNCATE.
        await world.server.query('TRUNCATE bench_in', undefined, shopDatabase)
        const sql = 'COPY bench_in FROM STDIN'
        return driver.run('copyIn', { reach: way.reach, sql, text: piece, bytes: settings.copyBytes })
      },
    },
  ]
  await bench.spinners.during(async () => {
    for (const task of tasks) await measureTask(bench, task)
  })
}

async function measureTask(bench: Bench, { what, ways, compare, run }: Task): Promise<void> {
  const chosen = bench.settings.quick ? ways.filter((way) => way !== 'gateway' && way !== 'pgbouncer') : ways
  const lanes = (await waysNamed(chosen, bench.world)).map((way): Lane => ({ way, tool: 'driver' }))
  const samples = await inRounds(bench.settings.rounds, lanes, (lane, round) =>
    step(bench, `bulk: ${what}, round ${round + 1}, ${nameOf(lane)}`, () => run(lane)),
  )
  const direct = msOf([...samples].find(([{ way }]) => way.name === 'direct')?.[1])
  for (const [lane, taken] of samples) {
    const row: Subject = { section: 'bulk', what, way: lane.way.name, tool: 'driver' }
    addSpread(bench, row, 'ms', msOf(taken))
    addSpread(
      bench,
      row,
      'mbPerS',
      taken.map(({ bytes, from, to }) => bytes / (to - from) / 1000),
    )
    if (lane.way.name === 'direct') continue
    if (compare === 'time') addPairs(bench, row, 'times', [msOf(taken), direct], asRatio)
    else addPairs(bench, row, 'ratio', [direct, msOf(taken)], asRatio)
  }
}

function msOf(results: readonly BulkResult[] | undefined): readonly number[] {
  return results?.map(({ from, to }) => to - from) ?? []
}
