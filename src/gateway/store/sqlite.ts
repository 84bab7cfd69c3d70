/** Opening SQLite files the way the store needs them, and what their errors mean in words. */
import { closeSync, fsyncSync, mkdirSync, openSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { reasonOf } from '../../base/errors.ts'

/** How long to wait for another process that looks into the file (`sqlite3 store.db`) before giving up. */
const busyTimeoutMs = 2000

/**
 * SQLite maps the index of its write-ahead log into memory, and writing to a mapped file whose disk is full ends the
 * process (SIGBUS) where the file system's blocks are smaller than a page of memory. So look first.
 */
const roomToOpen = 128 << 10

/**
 * Opens for writing; makes file and folder, readable by their owner only, if they are missing. A commit is not flushed by
 * itself: what is in it is in the journal until `flushed` has been called.
 */
export function openForWriting(path: string): Database.Database {
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize < roomToOpen) throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
  closeSync(openSync(path, 'a', 0o600))
  const db = new Database(path, { timeout: busyTimeoutMs })
  try {
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = NORMAL')
    // Checkpoints are run by hand: SQLite's own hide their errors.
    db.pragma('wal_autocheckpoint = 0')
    // SQLite does not flush the folder for the main file, and without its name the file is lost in a power cut.
    syncFolder(folder)
    syncFolder(dirname(folder))
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** What this commits is durable when it returns, and with it everything that was committed before: they share one log. */
export function flushed(db: Database.Database, commit: () => void): void {
  db.pragma('synchronous = FULL')
  try {
    commit()
  } finally {
    db.pragma('synchronous = NORMAL')
  }
}

export function openForReading(path: string): Database.Database {
  return new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs })
}

/**
 * Moves the whole write-ahead log into the database file, flushed, and empties the log. After a failed flush this is what
 * makes records safe again: the kernel may have marked the log's pages clean without having written them, so that another
 * fsync of the log would prove nothing, whereas this writes every page anew.
 */
export function checkpointAll(db: Database.Database): void {
  const [result] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[]
  if (result?.busy !== 0) throw new Error('another process reads the store and keeps its log from being emptied')
}

/** One clause that fits after "the audit cannot be written: ". Without the path: clients of targets read it too. */
export function storeReason(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') return 'its disk is full'
  if (code === 'EDQUOT') return 'its disk quota is used up'
  if (code === 'EFBIG') return 'its disk takes no longer file'
  if (code.startsWith('SQLITE_IOERR') || code === 'EIO') return `its disk fails (${code})`
  if (code.startsWith('SQLITE_READONLY') || code === 'EROFS' || code === 'EACCES') return 'its file is read-only'
  if (code.startsWith('SQLITE_BUSY') || code === 'SQLITE_LOCKED') return 'another process holds its file'
  if (code.startsWith('SQLITE_CANTOPEN')) return 'its file cannot be opened'
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return `its file is damaged (${code})`
  return reasonOf(thrown)
}

export function syncFolder(path: string): void {
  // Windows cannot open a folder; its file systems journal names themselves.
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
