/** How many connections this machine has room for: open files of the process with the most of them, and memory for the server's. */
import { execFileSync } from 'node:child_process'

/** A connection is a socket on each side of a process, and its target's may need one more for questions of our own. */
const filesEach = 3
const filesBeside = 300
/** A server process of its own for each connection. */
const memoryEach = 4 * 1024 * 1024

export interface Room {
  readonly connections: number
  /** Why it is fewer than wanted. */
  readonly why: string | undefined
}

export function roomFor(wanted: number): Room {
  // Node raises its own limit to the hard one, and what it starts inherits that.
  const files = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim()
  return fitting(wanted, files === 'unlimited' ? Number.POSITIVE_INFINITY : Number(files), process.availableMemory())
}

/** Pure. */
export function fitting(wanted: number, files: number, memory: number): Room {
  const byFiles = Math.floor((files - filesBeside) / filesEach)
  const byMemory = Math.floor(memory / memoryEach)
  const connections = Math.max(1, Math.min(wanted, byFiles, byMemory))
  if (connections === wanted) return { connections, why: undefined }
  const cause = byFiles <= byMemory ? `the limit of open files (${files})` : 'free memory'
  return { connections, why: `${connections} idle connections instead of ${wanted}, because of ${cause}` }
}
