/** A file system of our own in a file: one whose power can be cut, or that is small enough to fill. Needs root and Linux. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Disk {
  /** Where it is mounted. */
  readonly folder: string
  /** What was not flushed is gone from now on, and nothing more gets written. XFS only. */
  cutPower(): void
  /** Power is back: mounted again, with what survived. */
  remount(): void
  remove(): void
}

const tools = { xfs: ['mkfs.xfs', 'xfs_io'], ext4: ['mkfs.ext4'] }
/** XFS takes no less than 300 MB; the file is sparse. */
const sizes = { xfs: 320 << 20, ext4: 4 << 20 }

/** Why there can be no such disk here; undefined if there can. */
export function diskTrouble(kind: 'xfs' | 'ext4'): string | undefined {
  if (process.platform !== 'linux') return 'it needs Linux'
  if (process.getuid?.() !== 0) return 'it needs root, to mount a file system'
  const missing = [...tools[kind], 'mount', 'losetup'].filter((tool) => !isInstalled(tool))
  if (missing.length > 0) return `missing: ${missing.join(', ')}`
  try {
    createDisk(kind).remove()
    return undefined
  } catch (error) {
    return `a file system of our own cannot be mounted: ${error instanceof Error ? error.message : String(error)}`
  }
}

export function createDisk(kind: 'xfs' | 'ext4'): Disk {
  const home = mkdtempSync(join(tmpdir(), `hoop-${kind}-`))
  const image = join(home, 'image')
  const folder = join(home, 'mounted')
  mkdirSync(folder)
  writeFileSync(image, '')
  truncateSync(image, sizes[kind])
  const mount = (): void => run('mount', '-o', 'loop', image, folder)
  try {
    // No blocks kept back for root, which could otherwise go on writing to a full disk.
    run(`mkfs.${kind}`, '-q', ...(kind === 'ext4' ? ['-m', '0'] : []), image)
    mount()
  } catch (error) {
    rmSync(home, { recursive: true, force: true })
    throw error
  }
  return {
    folder,
    cutPower() {
      // Without -f: not even the file system's own log is flushed.
      run('xfs_io', '-x', '-c', 'shutdown', folder)
    },
    remount() {
      run('umount', folder)
      mount()
    },
    remove() {
      run('umount', folder)
      rmSync(home, { recursive: true, force: true })
    },
  }
}

export function isInstalled(tool: string): boolean {
  const folders = (process.env.PATH ?? '').split(':').concat('/usr/sbin', '/sbin')
  return folders.some((folder) => existsSync(join(folder, tool)))
}

function run(tool: string, ...args: readonly string[]): void {
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` }
  execFileSync(tool, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
}
