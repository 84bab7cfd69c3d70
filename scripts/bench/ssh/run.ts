/**
 * `npm run bench -- ssh`: a large scp there and back, and connections that only run `true`, on each way in turn. The ways
 * that stand between are compared with each other: what hoop has to be as fast as is OpenSSH's own ProxyJump.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Progress } from '../progress.ts'
import { type Figure, figure, type Measure, type Results } from '../figures.ts'
import { commit, machine, sshVersions } from '../machine.ts'
import { turned } from '../rounds.ts'
import { createSpinners } from '../spinners.ts'
import { median, pairwise, spreadOf } from '../statistics.ts'
import { type SshWay, sshWays, writeConfig } from './ways.ts'
import { type SshWorld, startSshWorld } from './world.ts'

export interface SshRun {
  readonly quick: boolean
  readonly rounds: number
  readonly progress: Progress
  readonly signal: AbortSignal
  /** Where the gateway leaves its CPU profile. */
  readonly profile?: string
}

const MiB = 1024 ** 2

export async function runSshBench({ quick, rounds, progress, signal, profile }: SshRun): Promise<Results> {
  const began = performance.now()
  const date = new Date().toISOString()
  const settings = { quick, rounds, scpMiB: quick ? 128 : 512, connections: quick ? 10 : 40 }
  const spinners = createSpinners()
  progress.section('ssh')
  progress.say('starting two SSH servers and a gateway')
  const world = await startSshWorld(profile === undefined ? {} : { profile })
  try {
    const rig: Rig = { world, config: await writeConfig(world), signal: AbortSignal.any([signal, world.failed]) }
    const samples = await spinners.during(() => measure(rig, settings, progress))
    return {
      date,
      commit: commit(),
      machine: machine(),
      versions: sshVersions(world.target.version),
      settings: { ...settings, part: true, spinners: spinners.kind },
      sections: ['ssh'],
      notes: [
        ...(quick ? ['a quick run: less to copy, fewer connections'] : []),
        `a new connection is "ssh target true" from its start to its end; a figure is the median of ${rounds} rounds, each the median of ${settings.connections} in turn with the other ways`,
        '"hoop proxy" is started for each connection, as ssh does it with ProxyCommand; "CLI + gateway" is the port of a "hoop connect" that runs',
      ],
      seconds: (performance.now() - began) / 1000,
      figures: figuresOf(samples, settings.scpMiB),
    }
  } finally {
    progress.done()
    await world.stop()
  }
}

interface Rig {
  readonly world: SshWorld
  readonly config: string
  readonly signal: AbortSignal
}

/** Seconds; one a round. */
type Samples = Readonly<Record<Task, ReadonlyMap<SshWay, readonly number[]>>>
type Task = 'there' | 'back' | 'connection'

interface Amounts {
  readonly rounds: number
  readonly scpMiB: number
  readonly connections: number
}

async function measure(rig: Rig, { rounds, scpMiB, connections }: Amounts, progress: Progress): Promise<Samples> {
  const file = join(rig.world.folder, 'large')
  await fill(file, scpMiB * MiB)
  const empty = () => new Map<SshWay, number[]>(sshWays.map((way) => [way, []]))
  const samples = { there: empty(), back: empty(), connection: empty() }
  // Programs, keys and caches: nobody's first time is measured.
  for (const way of sshWays) await run(rig, 'ssh', [way, 'true'])
  for (let round = 0; round < rounds; round++) {
    const say = (what: string, way: SshWay) => progress.say(`ssh: ${what}, ${way}, round ${round + 1} of ${rounds}`)
    for (const way of turned(sshWays, round)) {
      const far = join(rig.world.target.home, `there-${way}`)
      const near = join(rig.world.folder, `back-${way}`)
      say('scp there', way)
      samples.there.get(way)?.push(await run(rig, 'scp', ['-q', file, `${way}:${far}`]))
      say('scp back', way)
      samples.back.get(way)?.push(await run(rig, 'scp', ['-q', `${way}:${far}`, near]))
      if ((await stat(near)).size !== scpMiB * MiB) throw new Error(`what came back on the way "${way}" is not whole`)
      for (const path of [far, near]) await rm(path)
    }
    const times = empty()
    for (let at = 0; at < connections; at++) {
      for (const way of turned(sshWays, round + at)) {
        say(`connection ${at + 1} of ${connections}`, way)
        times.get(way)?.push(await run(rig, 'ssh', [way, 'true']))
      }
    }
    for (const way of sshWays) samples.connection.get(way)?.push(median(times.get(way) ?? []))
  }
  return samples
}

/** Seconds from the start of the program to its end. */
async function run({ world, config, signal }: Rig, program: 'ssh' | 'scp', args: readonly string[]): Promise<number> {
  signal.throwIfAborted()
  const began = performance.now()
  const child = spawn(program, ['-F', config, ...args], {
    env: { PATH: process.env.PATH ?? '', ...world.env },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const [code] = await once(child, 'close')
  const seconds = (performance.now() - began) / 1000
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${said.trim()}`)
  return seconds
}

/** Not of zeros, which somebody could compress or leave out. */
async function fill(path: string, bytes: number): Promise<void> {
  const piece = Buffer.alloc(MiB)
  for (let at = 0; at < piece.length; at += 4) piece.writeUInt32LE((Math.imul(at, 2_654_435_761) ^ (at >> 7)) >>> 0, at)
  const file = await open(path, 'w', 0o600)
  try {
    for (let at = 0; at < bytes; at += piece.length) {
      piece.writeUInt32LE(at / piece.length, 0)
      await file.write(piece, 0, Math.min(piece.length, bytes - at))
    }
  } finally {
    await file.close()
  }
}

function figuresOf(samples: Samples, scpMiB: number): Figure[] {
  const megabytes = (scpMiB * MiB) / 1e6
  return sshWays.flatMap((way) => [
    ...rows('scp there', 'scp', way, samples.there, { measure: 'mbPerS', of: (seconds) => megabytes / seconds }),
    ...rows('scp back', 'scp', way, samples.back, { measure: 'mbPerS', of: (seconds) => megabytes / seconds }),
    ...rows('ssh target true', 'ssh', way, samples.connection, { measure: 'ms', of: (seconds) => seconds * 1000 }),
  ])
}

function rows(
  what: string,
  tool: 'ssh' | 'scp',
  way: SshWay,
  samples: ReadonlyMap<SshWay, readonly number[]>,
  { measure, of }: { readonly measure: Measure; readonly of: (seconds: number) => number },
): Figure[] {
  const subject = { section: 'ssh', what, way, tool } as const
  const values = (which: SshWay) => (samples.get(which) ?? []).map(of)
  const against = (reference: SshWay) => pairwise(values(way), values(reference), (value, other) => value / other)
  const isTime = measure === 'ms'
  const add = (as: Measure, list: readonly number[]) => figure(subject, as, spreadOf(list), list.length)
  return [
    add(measure, values(way)),
    ...(way === 'direct' ? [] : [add(isTime ? 'times' : 'ratio', against('direct'))]),
    ...(way === 'direct' || way === 'jump' ? [] : [add(isTime ? 'timesJump' : 'ofJump', against('jump'))]),
  ]
}
