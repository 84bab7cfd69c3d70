/**
 * One gateway to a store. The lock is SQLite's own, on an empty file beside it: the operating system drops it when the
 * process dies, however it dies, so there is never a stale one to remove.
 */
import { closeSync, mkdirSync, openSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { hoopError } from '../../contract/error-codes.ts'

/** Throws `conflict` if another gateway has it. */
export function lockStore(path: string): { release(): void } {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
  // The same file by another name has to be the same lock.
  const lockPath = `${realpathSync(path)}.lock`
  closeSync(openSync(lockPath, 'a', 0o600))
  const db = new Database(lockPath, { timeout: 0 })
  try {
    // Nothing is ever written to it, so it needs no journal beside it either.
    db.pragma('journal_mode = MEMORY')
    db.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    db.close()
    throw hoopError('conflict', `another gateway uses the store ${path}`, {
      hint: 'stop that one, or give this one its own store.path',
      cause,
    })
  }
  return {
    release() {
      db.close()
    },
  }
}
