/**
 * One at a time, across processes: a lock file that names its owner. A lock whose owner is gone is taken over; so is one
 * much older than any honest use, for a state folder that several machines share.
 */
import { open, readFile, stat, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { hoopError } from '../contract/error-codes.ts'

const oldMs = 60_000
const patienceMs = 90_000
const lookAgainMs = 50

export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await acquire(path)
  try {
    return await work()
  } finally {
    await unlink(path).catch(ignoreMissing)
  }
}

async function acquire(path: string): Promise<void> {
  const givenUp = Date.now() + patienceMs
  while (!(await create(path))) {
    if (await isAbandoned(path)) await removeAbandoned(path)
    else if (Date.now() > givenUp)
      throw hoopError('internal', `${path} is held by another hoop process`, { hint: 'remove it if none is running' })
    else await sleep(lookAgainMs)
  }
}

async function create(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600)
    await file.writeFile(`${process.pid} ${hostname()}`)
    await file.close()
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(path)
    if (Date.now() - mtimeMs > oldMs) return true
    const [pid = '', host = ''] = (await readFile(path, 'utf8')).split(' ')
    // Empty: created this instant and not yet signed.
    return pid !== '' && host === hostname() && !isRunning(Number(pid))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}

/**
 * Only one process removes, and looks again before it does: without that, two that saw the same dead owner would follow
 * each other, and the second would remove the lock that the first had just taken.
 */
async function removeAbandoned(path: string): Promise<void> {
  const guard = `${path}.removing`
  if (!(await create(guard))) {
    if (await isAbandoned(guard)) await unlink(guard).catch(ignoreMissing)
    await sleep(lookAgainMs)
    return
  }
  try {
    if (await isAbandoned(path)) await unlink(path).catch(ignoreMissing)
  } finally {
    await unlink(guard).catch(ignoreMissing)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return !isErrno(error, 'ESRCH')
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function ignoreMissing(error: unknown): void {
  if (!isErrno(error, 'ENOENT')) throw error
}
