/** Programs of the system that the bench uses where they are installed: on PATH, or where Debian keeps them. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface Installed {
  readonly path: string
  readonly version: string
}

const debian = '/usr/lib/postgresql'
/** Servers' programs, which are not on everybody's PATH. */
const serverFolders = ['/usr/local/sbin', '/usr/sbin']

export function findTool(name: 'pgbench' | 'pgbouncer' | 'nginx' | 'wrk'): Installed | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...serverFolders, ...debianFolders()]
  const path = folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(canRun)
  if (path === undefined) return undefined
  // nginx knows -v alone; it and wrk answer on another stream, and wrk with an exit status.
  const { stdout, stderr } = spawnSync(path, [name === 'nginx' || name === 'wrk' ? '-v' : '--version'], {
    encoding: 'utf8',
  })
  const said = `${stdout}${stderr}`
  return { path, version: said.match(/\d+(\.\d+)+/)?.[0] ?? said.trim() }
}

/** Newest first. */
function debianFolders(): readonly string[] {
  try {
    return readdirSync(debian)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(debian, version, 'bin'))
  } catch {
    // Not Debian.
    return []
  }
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
