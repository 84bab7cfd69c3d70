/** One run of the benchmark: the world is started, the sections measure one after the other, the world is gone. */
import { type UsualSection, usualSections } from './arguments.ts'
import type { Bench } from './bench.ts'
import { hasProcesses } from './cpu.ts'
import type { Figure, Results } from './figures.ts'
import { commit, machine, versions } from './machine.ts'
import type { Progress } from './progress.ts'
import { measureBulk } from './sections/bulk.ts'
import { measureConnections } from './sections/connections.ts'
import { measureLatency } from './sections/latency.ts'
import { measureProfile } from './sections/profile.ts'
import { measureReads } from './sections/reads.ts'
import { measureStart } from './sections/start.ts'
import { measureWrites } from './sections/writes.ts'
import type { Settings } from './settings.ts'
import { createSpinners } from './spinners.ts'
import { startWorld, type World } from './world.ts'

const sections: Readonly<Record<UsualSection, (bench: Bench) => Promise<void>>> = {
  reads: measureReads,
  writes: measureWrites,
  bulk: measureBulk,
  connections: measureConnections,
  latency: measureLatency,
  profile: measureProfile,
  start: measureStart,
}

export interface Run {
  readonly sections: readonly UsualSection[]
  readonly settings: Settings
  readonly progress: Progress
  readonly signal: AbortSignal
}

export async function runBench({ sections: names, settings, progress, signal }: Run): Promise<Results> {
  const began = performance.now()
  const date = new Date().toISOString()
  const spinners = createSpinners()
  const figures: Figure[] = []
  const notes: string[] = []
  progress.say('starting PostgreSQL and an identity provider')
  const world = await startWorld({ idleConnections: settings.idleConnections })
  try {
    notes.push(...notesOn(world, settings))
    for (const name of names) {
      progress.section(name)
      await sections[name]({
        world,
        settings,
        spinners,
        signal: AbortSignal.any([signal, world.failed]),
        say: progress.say,
        note: (sentence) => notes.push(sentence),
        add: (figure) => figures.push(figure),
      })
    }
    const part = names.length < usualSections.length
    return {
      date,
      commit: commit(),
      machine: machine(),
      versions: versions(world),
      settings: { ...settings, part, spinners: spinners.kind },
      sections: [...names],
      notes,
      seconds: (performance.now() - began) / 1000,
      figures,
    }
  } finally {
    progress.done()
    await world.stop()
  }
}

function notesOn({ pgbench, pgbouncer }: World, { quick, rounds }: Settings): readonly string[] {
  return [
    ...(quick
      ? [
          `a quick run: ${rounds === 1 ? 'one round' : `${rounds} rounds`}, each measurement short, fewer combinations, smaller amounts`,
        ]
      : []),
    ...(pgbench === undefined ? ['pgbench is not installed: everything is measured with the built-in driver'] : []),
    ...(pgbouncer === undefined ? ['pgbouncer is not installed, so it is not compared'] : []),
    '"gateway only" is asked by the built-in driver, which goes over the link without the CLI; its ratio is to a direct connection of the same driver, whose own cost is in both',
    ...(hasProcesses
      ? []
      : [`CPU time and memory of processes are read from /proc, which ${process.platform} has not: left out`]),
  ]
}
