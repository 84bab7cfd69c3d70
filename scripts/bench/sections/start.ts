/** How long somebody waits who types a command. */
import { addSpread, type Bench, step } from '../bench.ts'
import { targetName } from '../configs.ts'
import type { Door } from '../door.ts'
import { connectSaid, runProgram, startProgram } from '../program.ts'
import { inRounds } from '../rounds.ts'
import { shopDatabase, shopUser } from '../../../src/demo/shop.ts'
import { openConnection } from '../driver/connection.ts'
import { query } from '../driver/wire.ts'

export async function measureStart(bench: Bench): Promise<void> {
  const door = await bench.world.door('demo')
  const starts = [
    { what: 'hoop --help', run: () => run(door, ['--help']) },
    { what: 'hoop targets', run: () => run(door, ['targets']) },
    { what: 'hoop connect, to the first row', run: () => firstRow(door) },
  ]
  const samples = await inRounds(bench.settings.starts, starts, (start, round) =>
    step(bench, `start: ${start.what}, time ${round + 1}`, async () => {
      const began = performance.now()
      const ended = await start.run()
      return ended - began
    }),
  )
  for (const [{ what }, ms] of samples) addSpread(bench, { section: 'start', what, way: null, tool: null }, 'ms', ms)
}

async function run(door: Door, args: readonly string[]): Promise<number> {
  await runProgram({ args, env: door.env, log: door.log })
  return performance.now()
}

async function firstRow(door: Door): Promise<number> {
  const cli = await startProgram({ args: ['connect', targetName, '--json'], env: door.env, log: door.log }, connectSaid)
  try {
    const [{ port }] = cli.said.targets
    const login = { user: shopUser, database: shopDatabase, password: undefined }
    const connection = await openConnection({ kind: 'tcp', port, ...login })
    await connection.ask(query('SELECT name FROM customers LIMIT 1'))
    const at = performance.now()
    await connection.close()
    return at
  } finally {
    await cli.stop()
  }
}
