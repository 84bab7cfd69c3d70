/**
 * The trail in its file: seals records and writes them, one transaction a batch. A trail whose write failed must not be
 * used again; close it and open another, which proves what reached the disk before anything is added.
 */
import type { Database, Statement } from 'better-sqlite3'
import { genesis, hashAtEnd, sealLine } from '../../contract/chain.ts'
import type { AuditRecord, RecordOf } from '../../contract/record.ts'
import { bodyOf, type Entry } from './entry.ts'
import { createLedger, type Ledger, type Mark, type OpenThings } from './ledger.ts'
import { flawInRow, type LineWithColumns } from './proof.ts'
import { verifySql } from './queries.ts'
import { migrate } from './schema.ts'
import { checkpointAll, openForWriting } from './sqlite.ts'

export interface Trail {
  /** Number of the newest durable record; 0 if there is none. */
  head(): number
  /** Durable when it returns. Throws if not one of them was written. */
  write(entries: readonly Entry[]): void
  /** Now and then, when nobody waits: saves the ledger and empties the write-ahead log when they have grown. */
  tidy(): void
  openThings(): OpenThings
  record(seq: number): AuditRecord
  /** In good order. */
  close(): void
  /** After a failure: writes nothing more. */
  abandon(): void
}

/** Records that are re-read at every start, at least. */
const tailLength = 256
/** A start re-reads what was written since the ledger was saved; the log is emptied at the same time. */
const tidyAfterCommits = 1000
const tidyAfterCharacters = 4 << 20

export function openTrail(path: string, flush: boolean): Trail {
  const db = openForWriting(path, flush)
  try {
    migrate(db)
    checkpointAll(db)
    return trailOn(db)
  } catch (error) {
    db.close()
    throw error
  }
}

function trailOn(db: Database): Trail {
  const statements = prepare(db)
  let { seq: head, hash: headHash, ledger } = recover(db)
  let commits = 0
  let characters = 0

  function insert(entry: Entry, seq: number, prev: string): string {
    const [, at, type, session, target, user, connection, command, approval, verdict] = entry
    const { line, hash } = sealLine(bodyOf(entry, seq, prev))
    statements.line.run(seq, line)
    statements.record.run(seq, at, type, session, target, user, connection, command, approval, verdict)
    // Ours, sealed a line above.
    if (type === 'session.start') startSession(statements.sessionStart, JSON.parse(line) as RecordOf<'session.start'>)
    if (type === 'session.end') endSession(statements.sessionEnd, JSON.parse(line) as RecordOf<'session.end'>)
    characters += line.length
    return hash
  }

  const insertAll = db.transaction((entries: readonly Entry[]): string => {
    let hash = headHash
    for (const [index, entry] of entries.entries()) hash = insert(entry, head + index + 1, hash)
    return hash
  })

  const saveLedger = db.transaction((): void => {
    for (const [session, count] of ledger.takeCounts()) statements.count.run(count, session)
    statements.ledger.run(head, JSON.stringify(ledger.open()))
  })

  function tidyNow(): void {
    saveLedger()
    // PASSIVE waits for nobody: a reader only delays it to the next time.
    db.pragma('wal_checkpoint(PASSIVE)')
    commits = 0
    characters = 0
  }

  return {
    head: () => head,
    write(entries) {
      headHash = insertAll.immediate(entries)
      for (const entry of entries) ledger.apply(markOf(entry), ++head)
      commits++
    },
    tidy() {
      if (commits >= tidyAfterCommits || characters >= tidyAfterCharacters) tidyNow()
    },
    openThings: () => ledger.open(),
    record(seq) {
      const row = statements.lineAt.get(seq)
      if (row === undefined) throw new Error(`record ${seq} is missing`)
      // Its chain was checked when the trail was opened, so it is what we wrote.
      return JSON.parse(row.line) as AuditRecord
    },
    close() {
      try {
        if (commits > 0) tidyNow()
      } finally {
        db.close()
      }
    },
    abandon() {
      db.close()
    },
  }
}

/** Reads the tail, proves it, and finds out what is open. Throws if it was damaged: nothing may be added to such a trail. */
function recover(db: Database): { seq: number; hash: string; ledger: Ledger } {
  const saved = db.prepare<[], { seq: number; open: string }>('SELECT seq, open FROM ledger').get()
  // Ours; damage to the page it is on is SQLite's to notice.
  const ledger = createLedger(saved === undefined ? undefined : (JSON.parse(saved.open) as OpenThings))
  const savedAt = saved?.seq ?? 0

  const newest = db.prepare<[], { seq: number | null }>('SELECT max(seq) AS seq FROM lines').get()?.seq ?? 0
  if (newest < savedAt) throw damaged(`record ${savedAt} was written, and the newest one is ${newest}`)

  let seq = Math.max(0, Math.min(savedAt, newest - tailLength))
  let hash = seq === 0 ? genesis : hashOfLine(db, seq)
  for (const row of db.prepare<unknown[], LineWithColumns & Mark>(verifySql).iterate({ after: seq, upTo: newest })) {
    const flaw = flawInRow(row, { seq: seq + 1, prev: hash })
    if (flaw !== undefined) throw damaged(`record ${seq + 1} ${flaw}`)
    seq = row.seq
    hash = hashAtEnd(row.line)
    if (seq > savedAt) ledger.apply(row, seq)
  }
  const extra = db.prepare<[number], { seq: number }>('SELECT seq FROM records WHERE seq > ?').get(seq)
  if (extra !== undefined) throw damaged(`record ${extra.seq} has columns and no line`)
  return { seq, hash, ledger }
}

function hashOfLine(db: Database, seq: number): string {
  const line = db.prepare<[number], { line: string }>('SELECT line FROM lines WHERE seq = ?').get(seq)?.line
  if (line === undefined) throw damaged(`record ${seq} is missing`)
  return hashAtEnd(line)
}

function damaged(what: string): Error {
  return Object.assign(new Error(`the trail is damaged: ${what}`), { code: 'DAMAGED' })
}

function markOf([, , type, session, , , connection, command, approval, verdict]: Entry): Mark {
  return { type, session, connection, command, approval, verdict }
}

function prepare(db: Database) {
  return {
    line: db.prepare('INSERT INTO lines (seq, line) VALUES (?, ?)'),
    record: db.prepare(
      `INSERT INTO records (seq, at, type, session, target, user, connection, command, approval, verdict)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    lineAt: db.prepare<[number], { line: string }>('SELECT line FROM lines WHERE seq = ?'),
    // A repeated id is a defect elsewhere; the record itself is kept, so that the trail never refuses what it is told.
    sessionStart: db.prepare(
      `INSERT INTO sessions (id, seq, user, subject, agent, reason, targets, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
    ),
    sessionEnd: db.prepare('UPDATE sessions SET ended = ?, why = ? WHERE id = ? AND ended IS NULL'),
    count: db.prepare('UPDATE sessions SET commands = commands + ? WHERE id = ?'),
    ledger: db.prepare(
      'INSERT INTO ledger (one, seq, open) VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq, open = excluded.open',
    ),
  }
}

function startSession(statement: Statement, record: RecordOf<'session.start'>): void {
  const { session, seq, user, subject, agent, reason, targets, at } = record
  statement.run(session, seq, user, subject, agent, reason, JSON.stringify(targets), at)
}

function endSession(statement: Statement, record: RecordOf<'session.end'>): void {
  statement.run(record.at, record.why, record.session)
}
