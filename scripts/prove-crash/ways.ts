/** The ways to die, each a rule that has to hold round after round. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDisk, type Disk, diskTrouble, isInstalled } from './disk.ts'
import type { Life, Subject } from './subject.ts'

export interface Way {
  readonly name: string
  readonly rule: string
  /** Why it cannot be tried here. */
  trouble(): string | undefined
  /** A place that lasts for all rounds. */
  prepare(): Place
}

export interface Place {
  readonly store: string
  /** Lives and dies once; gives back what really happened. */
  round(subject: Subject, flush: boolean): Promise<ReadonlySet<string>>
  remove(): void
}

export const ways: readonly Way[] = [
  {
    name: 'kill',
    rule: 'killed at a random moment, everything that happened is on record',
    trouble: () => undefined,
    prepare() {
      const folder = mkdtempSync(join(tmpdir(), 'hoop-crash-'))
      const store = join(folder, 'hoop.db')
      return {
        store,
        async round(subject, flush) {
          const life = await subject.start(store, { wrap: [], flush })
          await aWhile(life)
          return life.kill()
        },
        remove: () => rmSync(folder, { recursive: true, force: true }),
      }
    },
  },
  {
    name: 'power',
    rule: 'after a power cut at a random moment everything that happened is on record',
    trouble: () => diskTrouble('xfs'),
    prepare() {
      const disk = createDisk('xfs')
      const store = join(disk.folder, 'store', 'hoop.db')
      return {
        store,
        async round(subject, flush) {
          const life = await subject.start(store, { wrap: [], flush })
          await aWhile(life)
          return dieOfPowerCut(life, disk)
        },
        remove: () => disk.remove(),
      }
    },
  },
  {
    name: 'flush',
    rule: 'a flush that fails stops all forwarding; what happens after it worked again survives a power cut',
    trouble: () => (isInstalled('strace') ? diskTrouble('xfs') : 'missing: strace'),
    prepare() {
      const disk = createDisk('xfs')
      const store = join(disk.folder, 'store', 'hoop.db')
      let rounds = 0
      return {
        store,
        async round(subject, flush) {
          const first = 40 + Math.floor(Math.random() * 60)
          const forGood = rounds++ % 2 === 0
          const life = await subject.start(store, { wrap: failingFlush(first, forGood), flush })
          await until('a refusal', () => life.refusals().length > 0)
          if (forGood) await nothingHappens(life, 1200)
          else await happensAgain(life)
          return dieOfPowerCut(life, disk)
        },
        remove: () => disk.remove(),
      }
    },
  },
  {
    name: 'full',
    rule: 'a full disk refuses with a clear error, forwards nothing, and works again when there is room',
    trouble: () => diskTrouble('ext4'),
    prepare() {
      // A new one each round: a full disk stays full.
      let disk = createDisk('ext4')
      let used = false
      return {
        get store() {
          return join(disk.folder, 'hoop.db')
        },
        async round(subject, flush) {
          if (used) {
            disk.remove()
            disk = createDisk('ext4')
          }
          used = true
          const ballast = join(disk.folder, 'ballast')
          // More than the write-ahead log can have become by then: recovery moves all of it into the database.
          writeFileSync(ballast, Buffer.alloc(1600 << 10))
          const life = await subject.start(join(disk.folder, 'hoop.db'), { wrap: [], flush })
          await until('a refusal', () => life.refusals().length > 0)
          const told = life.refusals()[0] ?? ''
          if (!told.includes('its disk is full')) throw new Error(`the disk is full, and clients were told: ${told}`)
          await nothingHappens(life, 800)
          rmSync(ballast)
          await happensAgain(life)
          return life.kill()
        },
        remove: () => disk.remove(),
      }
    },
  },
]

function failingFlush(first: number, forGood: boolean): readonly string[] {
  const when = forGood ? `${first}+` : `${first}..${first + 3}`
  // The journal's flush is a write to a file that was opened with O_DSYNC.
  const calls = 'pwritev,fsync,fdatasync,sync_file_range'
  return [
    // strace counts for each thread: one shall do all the waiting for the disk.
    'env',
    'UV_THREADPOOL_SIZE=1',
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    `trace=${calls}`,
    '-e',
    `inject=${calls}:error=EIO:when=${when}`,
  ]
}

/**
 * What happened until the cut began. A flush that runs at the very moment when XFS is shut down can be reported as done
 * although its log was thrown away (the shutdown unpins the inode that fsync is about to wait for); where the power
 * really goes, nobody is left to hear that report.
 */
async function dieOfPowerCut(life: Life, disk: Disk): Promise<ReadonlySet<string>> {
  const happened = life.happened()
  disk.cutPower()
  await life.kill()
  disk.remount()
  return happened
}

/** Until something happened, and then until some random moment. */
async function aWhile(life: Life): Promise<void> {
  await until('anything', () => life.count() > 0)
  await sleep(20 + Math.random() * 800)
}

async function nothingHappens(life: Life, ms: number): Promise<void> {
  // What was durable before the failure may still be on its way to us.
  await sleep(100)
  const before = life.count()
  await sleep(ms)
  if (life.count() > before)
    throw new Error(`${life.count() - before} operations happened while nothing can be written`)
}

async function happensAgain(life: Life): Promise<void> {
  const before = life.count()
  await until('a recovery', () => life.count() > before + 20).catch((error: unknown) => {
    throw new Error(`clients are still told: ${life.refusals().at(-1)}`, { cause: error })
  })
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`waited 60 s for ${what}`)
    await sleep(5)
  }
}
