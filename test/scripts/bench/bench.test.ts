/** A tiny run against real processes: the server, a gateway, a CLI and the driver, on the ways that matter most. */
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Bench } from '../../../scripts/bench/bench.ts'
import { hasProcesses } from '../../../scripts/bench/cpu.ts'
import type { Figure, Measure, WayName } from '../../../scripts/bench/figures.ts'
import { quickRun } from '../../../scripts/bench/settings.ts'
import { measureLanes } from '../../../scripts/bench/throughput.ts'
import { lanesOf, type Way, waysNamed } from '../../../scripts/bench/ways.ts'
import { startWorld, type World } from '../../../scripts/bench/world.ts'

let world: World
let ways: readonly Way[]
const figures: Figure[] = []

beforeAll(async () => {
  world = await startWorld({ idleConnections: 10 })
  await world.tables.transactions(10)
  ways = await waysNamed(['direct', 'gateway', 'cli'], world)
})
afterAll(() => world?.stop())

const wayOf = (name: WayName) => {
  const way = ways.find((one) => one.name === name)
  if (way === undefined) throw new Error(`there is no way ${name}`)
  return way
}

const measured = (way: WayName, measure: Measure) =>
  figures.find((one) => one.way === way && one.measure === measure)?.value

function bench(signal = new AbortController().signal): Bench {
  return {
    world,
    settings: { ...quickRun, rounds: 2 },
    spinners: { kind: 'none', during: (work) => work() },
    signal,
    say: () => {},
    note: () => {},
    add: (figure) => figures.push(figure),
  }
}

const work = { script: 'select', protocol: 'prepared', clients: 2, seconds: 0.2 } as const
const subject = { section: 'reads', what: 'prepared, 2 clients' } as const

test('measures each way in each round, and compares it with the direct one', async () => {
  await measureLanes(bench(), lanesOf(ways, false), subject, work)
  for (const way of ['direct', 'gateway', 'cli'] as const) expect(measured(way, 'tps'), way).toBeGreaterThan(0)
  for (const way of ['gateway', 'cli'] as const) {
    expect(measured(way, 'ratio'), way).toBeGreaterThan(0)
    expect(measured(way, 'ratio'), way).toBeLessThan(1)
  }
  expect(figures.every(({ rounds }) => rounds === 2)).toBe(true)
})

test.runIf(hasProcesses)('says what a transaction costs each process', () => {
  expect(measured('cli', 'cpuGateway')).toBeGreaterThan(0)
  expect(measured('gateway', 'cpuCli')).toBeUndefined()
  expect(measured('direct', 'cpuDriver')).toBeGreaterThan(0)
})

test('transactions by the clock: as many as were asked for, from when they should have started', async () => {
  const { transactions, p50Ms, p99Ms } = await world
    .driver()
    .run('paced', { ...work, reach: wayOf('direct').reach, rate: 100, seconds: 0.5 })
  expect(transactions).toBe(50)
  expect(p50Ms).toBeGreaterThan(0)
  expect(p99Ms).toBeGreaterThanOrEqual(p50Ms)
})

test('a refusal ends the measurement with its own words', async () => {
  const asked = { reach: wayOf('cli').reach, sql: `COPY customers TO PROGRAM 'true'` }
  await expect(world.driver().run('fetch', asked)).rejects.toThrow('must not touch files, programs')
})

test('a way that leads nowhere ends the bench and is named', async () => {
  const nowhere: Way = { ...wayOf('direct'), reach: { ...wayOf('direct').reach, database: 'nowhere' } }
  const measuring = measureLanes(bench(), [{ way: nowhere, tool: 'driver' }], subject, work)
  await expect(measuring).rejects.toThrow(/direct \(driver\): .*database "nowhere" does not exist/)
})

test('Ctrl-C stops between two steps', async () => {
  const stop = AbortSignal.abort(new Error('stopped'))
  await expect(measureLanes(bench(stop), lanesOf(ways, false), subject, work)).rejects.toThrow('stopped')
})

test('leaves nothing behind', async () => {
  const pids = ways.flatMap(({ pids }) => Object.values(pids))
  expect(pids.length).toBeGreaterThan(0)
  await world.stop()
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  expect(existsSync(world.folder)).toBe(false)
})
