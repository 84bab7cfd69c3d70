/**
 * `npm run bench -- http`: small answers at 1, 16 and 64 connections, their latency at a fixed rate, and a large download,
 * on each way in turn. What hoop is compared with is nginx as a reverse proxy.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { reasonOf } from '../../../src/base/errors.ts'
import { now } from '../clock.ts'
import { watchCpu } from '../cpu.ts'
import type { Progress } from '../progress.ts'
import { type Figure, figure, type Measure, type Results } from '../figures.ts'
import { commit, httpVersions, machine } from '../machine.ts'
import { inRounds } from '../rounds.ts'
import { createSpinners } from '../spinners.ts'
import { pairwise, spreadOf } from '../statistics.ts'
import { runLoad, runPaced } from './client.ts'
import { largePath } from './nginx.ts'
import { type HttpWay, type HttpWorld, httpWays, startHttpWorld } from './world.ts'
import { type Load, type Loaded, runWrk } from './wrk.ts'

export interface HttpRun {
  readonly quick: boolean
  readonly rounds: number
  readonly progress: Progress
  readonly signal: AbortSignal
  readonly profile?: string
}

const connectionCounts = [1, 16, 64] as const
/** Of the latency at a fixed rate: enough to be busy, and less than the slowest way can take. */
const rate = 1000

export async function runHttpBench({ quick, rounds, progress, signal, profile }: HttpRun): Promise<Results> {
  const began = performance.now()
  const date = new Date().toISOString()
  const settings = {
    quick,
    rounds,
    seconds: quick ? 1 : 3,
    warmUpSeconds: quick ? 3 : 10,
    downloadMB: quick ? 200 : 1000,
  }
  const spinners = createSpinners()
  progress.section('http')
  progress.say('starting nginx twice, and two gateways')
  const world = await startHttpWorld({
    largeBytes: settings.downloadMB * 1e6,
    ...(profile === undefined ? {} : { profile }),
  })
  try {
    const bench: Bench = { world, settings, progress, signal: AbortSignal.any([signal, world.failed]) }
    await warmUp(bench)
    const latency = await measureLatency(bench)
    const rest = await spinners.during(async () => [...(await measureLoad(bench)), ...(await measureDownload(bench))])
    return {
      date,
      commit: commit(),
      machine: machine(),
      versions: httpVersions(world),
      settings: { ...settings, part: true, spinners: spinners.kind },
      sections: ['http'],
      notes: [
        ...(quick ? ['a quick run: shorter, and less to download'] : []),
        ...(world.wrk === undefined
          ? ['wrk is not installed: the load is the bench’s own, which takes more of the CPU']
          : []),
        'answers have 1 KiB of JSON, of nine orders; with masks that hit, of five customers with an address, a card and a password hash each',
        `latency is of ${rate} requests/s over 16 connections, each counted from when it should have started; it is measured without spinners`,
      ],
      seconds: (performance.now() - began) / 1000,
      figures: [...rest, ...latency],
    }
  } finally {
    progress.done()
    await world.stop()
  }
}

interface Bench {
  readonly world: HttpWorld
  readonly settings: Settings
  readonly progress: Progress
  readonly signal: AbortSignal
}

interface Settings {
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly downloadMB: number
}

/** Just-in-time compilers: the first tens of thousands of requests of a gateway cost more. */
async function warmUp(bench: Bench): Promise<void> {
  for (const way of httpWays) {
    bench.progress.say(`http: warming up, ${way}`)
    const seconds = bench.world.ends[way].pids === undefined ? 1 : bench.settings.warmUpSeconds
    await load(bench, way, 64, seconds).catch((error: unknown) => {
      throw new Error(`${way} does not answer while it warms up: ${reasonOf(error)}`, { cause: error })
    })
  }
}

async function measureLoad(bench: Bench): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const connections of connectionCounts) {
    const what = `1 KiB, ${connections} connection${connections === 1 ? '' : 's'}`
    const samples = await inRounds(bench.settings.rounds, httpWays, (way, round) => {
      bench.progress.say(`http: ${what}, ${way}, round ${round + 1} of ${bench.settings.rounds}`)
      return load(bench, way, connections, bench.settings.seconds)
    })
    const tool = bench.world.wrk === undefined ? 'driver' : 'wrk'
    const values = (way: HttpWay, of: keyof Measured) =>
      (samples.get(way) ?? []).flatMap((measured) => measured[of] ?? [])
    for (const way of httpWays) {
      const row = rowOf({ section: 'http', what, way, tool })
      figures.push(
        row('rps', values(way, 'perSecond')),
        row('p50', values(way, 'p50Ms')),
        row('p99', values(way, 'p99Ms')),
        ...ratios(row, way, (of) => values(of, 'perSecond')),
        ...(values(way, 'gatewayMicros').length === 0
          ? []
          : [row('cpuGateway', values(way, 'gatewayMicros')), row('cpuCli', values(way, 'cliMicros'))]),
      )
    }
  }
  return figures
}

async function measureLatency(bench: Bench): Promise<readonly Figure[]> {
  const { world, settings, progress, signal } = bench
  const what = 'latency, 16 connections'
  const samples = await inRounds(settings.rounds, httpWays, (way, round) => {
    progress.say(`http: ${what}, ${way}, round ${round + 1} of ${settings.rounds}`)
    signal.throwIfAborted()
    return runPaced({ ...world.ends[way], connections: 16, seconds: settings.seconds, rate })
  })
  const values = (way: HttpWay, of: 'p50Ms' | 'p99Ms') => (samples.get(way) ?? []).map((paced) => paced[of])
  const added = (way: HttpWay, of: 'p50Ms' | 'p99Ms') =>
    pairwise(values(way, of), values('direct', of), (value, direct) => value - direct)
  return httpWays.flatMap((way) => {
    const row = rowOf({ section: 'http', what, way, tool: 'driver' })
    return [
      row('p50', values(way, 'p50Ms')),
      row('p99', values(way, 'p99Ms')),
      ...(way === 'direct' ? [] : [row('addedP50', added(way, 'p50Ms')), row('addedP99', added(way, 'p99Ms'))]),
    ]
  })
}

/** What no mask can look into is withheld where there are masks. */
const downloadWays: readonly HttpWay[] = httpWays.filter((way) => way !== 'cli' && way !== 'cli-masks')

async function measureDownload(bench: Bench): Promise<readonly Figure[]> {
  const { settings, progress } = bench
  const what = `download of ${settings.downloadMB} MB`
  const samples = await inRounds(settings.rounds, downloadWays, (way, round) => {
    progress.say(`http: ${what}, ${way}, round ${round + 1} of ${settings.rounds}`)
    return download(bench, way)
  })
  return downloadWays.flatMap((way) => {
    const row = rowOf({ section: 'http', what: 'download', way, tool: 'curl' })
    const speed = (of: HttpWay) => (samples.get(of) ?? []).map((seconds) => settings.downloadMB / seconds)
    return [row('mbPerS', speed(way)), ...ratios(row, way, speed)]
  })
}

/** With what each request cost the processes of hoop, where they can be looked at. */
interface Measured extends Loaded {
  readonly gatewayMicros?: number
  readonly cliMicros?: number
}

async function load({ world, signal }: Bench, way: HttpWay, connections: number, seconds: number): Promise<Measured> {
  signal.throwIfAborted()
  const { port, path, pids } = world.ends[way]
  const wanted: Load = { port, path, connections, seconds }
  const watch = watchCpu(pids === undefined ? [] : [pids.gateway, pids.cli])
  const from = now()
  let used: ReadonlyMap<number, number> = new Map()
  const loaded = await (world.wrk === undefined ? runLoad(wanted) : runWrk(world.wrk, wanted, signal)).finally(() => {
    // Also when it fails: watching goes on for ever otherwise.
    used = watch.stop({ from, to: now() })
  })
  const [gateway, cli] = [used.get(pids?.gateway ?? 0), used.get(pids?.cli ?? 0)]
  if (gateway === undefined || cli === undefined) return loaded
  const requests = loaded.perSecond * seconds
  return { ...loaded, gatewayMicros: gateway / requests, cliMicros: cli / requests }
}

/** Seconds. */
async function download({ world, settings, signal }: Bench, way: HttpWay): Promise<number> {
  signal.throwIfAborted()
  const format = '%{http_code} %{size_download} %{time_total}'
  const url = `http://127.0.0.1:${world.ends[way].port}${largePath}`
  const child = spawn('curl', ['-s', '-S', '-o', '/dev/null', '-w', format, url], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said += String(chunk)
    })
  await once(child, 'close')
  const [status, size, seconds] = said.split(' ').map(Number)
  if (status !== 200 || size !== settings.downloadMB * 1e6 || seconds === undefined)
    throw new Error(`the download on the way "${way}" is not whole: ${said}`)
  return seconds
}

type Row = (measure: Measure, list: readonly number[]) => Figure

function rowOf(subject: Pick<Figure, 'section' | 'what' | 'way' | 'tool'>): Row {
  return (measure, list) => figure(subject, measure, spreadOf(list), list.length)
}

function ratios(row: Row, way: HttpWay, of: (way: HttpWay) => readonly number[]): readonly Figure[] {
  const against = (reference: HttpWay) => pairwise(of(way), of(reference), (value, other) => value / other)
  return [
    ...(way === 'direct' ? [] : [row('ratio', against('direct'))]),
    ...(way === 'direct' || way === 'nginx' ? [] : [row('ofNginx', against('nginx'))]),
  ]
}
