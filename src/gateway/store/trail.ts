/**
 * The trail in SQLite: sealed lines as they are, and beside each the columns it is found by. What is added here is durable
 * in the journal already, so commits are lazy: `settle` makes all of them safe here too.
 */
import type { Database, Statement } from 'better-sqlite3'
import { genesis, hashAtEnd } from '../../contract/chain.ts'
import type { AuditRecord, RecordOf } from '../../contract/record.ts'
import type { Columns } from './entry.ts'
import { createLedger, type Ledger, type Mark, type OpenThings } from './ledger.ts'
import { damaged, flawInRow, type LineWithColumns } from './proof.ts'
import { verifySql } from './queries.ts'
import { migrate } from './schema.ts'
import type { Batch, End } from './seal.ts'
import { checkpointAll, flushed, openForWriting } from './sqlite.ts'

export interface Trail {
  /** The newest record; number 0 if there is none. */
  end(): End
  /** These follow it. Throws if not one of them was added. */
  add(batch: Batch): void
  /** What was added is durable when it returns. */
  settle(): void
  /** Settles and empties the write-ahead log when they have grown; now and then, when nobody waits. */
  tidy(): void
  /** Number of the newest record that is known to be durable here. */
  settled(): number
  openThings(): OpenThings
  record(seq: number): AuditRecord
  /** In good order. */
  close(): void
  /** After a failure: adds nothing more. */
  abandon(): void
}

/** Records that are re-read at every start, at least. */
const tailLength = 256
/** The journal is freed and the log emptied after so many bytes; a start re-reads at most as many. */
const tidyAfterBytes = 4 << 20
/** Rows to one statement: what SQLite does for each statement costs as much as a row. */
const rowsAtOnce = 16

/** `flush` false: nothing is ever waited for, a power cut may lose records. */
export function openTrail(path: string, flush: boolean): Trail {
  const db = openForWriting(path)
  try {
    migrate(db)
    checkpointAll(db)
    return trailOn(db, flush)
  } catch (error) {
    db.close()
    throw error
  }
}

function trailOn(db: Database, flush: boolean): Trail {
  const statements = prepare(db)
  const { ledger, ...found } = recover(db)
  let end: End = found
  let settled = end.seq
  let bytes = 0

  function insert(lines: readonly Buffer[], rows: readonly Columns[], first: number): void {
    let at = 0
    for (; at + rowsAtOnce <= lines.length; at += rowsAtOnce) {
      const texts: unknown[] = []
      const columns: unknown[] = []
      for (let index = at; index < at + rowsAtOnce; index++) {
        texts.push(first + index, lines[index])
        columns.push(first + index, ...(rows[index] ?? []))
      }
      statements.lines.run(texts)
      statements.records.run(columns)
    }
    for (; at < lines.length; at++) {
      statements.line.run(first + at, lines[at])
      statements.record.run([first + at, ...(rows[at] ?? [])])
    }
  }

  /** Listing sessions quickly needs a table of them. */
  function noteSessions(lines: readonly Buffer[], rows: readonly Columns[]): void {
    for (const [index, [, type]] of rows.entries()) {
      if (type !== 'session.start' && type !== 'session.end') continue
      const line = lines[index]?.toString() ?? ''
      // Ours, sealed a moment ago.
      if (type === 'session.start') startSession(statements.sessionStart, JSON.parse(line) as RecordOf<'session.start'>)
      else endSession(statements.sessionEnd, JSON.parse(line) as RecordOf<'session.end'>)
    }
  }

  const insertAll = db.transaction((lines: readonly Buffer[], rows: readonly Columns[], first: number): void => {
    insert(lines, rows, first)
    noteSessions(lines, rows)
  })

  const saveLedger = db.transaction((): void => {
    for (const [session, count] of ledger.takeCounts()) statements.count.run(count, session)
    statements.ledger.run(end.seq, JSON.stringify(ledger.open()))
  })

  function settle(): void {
    if (settled === end.seq) return
    if (flush) flushed(db, saveLedger)
    else saveLedger()
    settled = end.seq
    bytes = 0
  }

  function tidyNow(): void {
    settle()
    // PASSIVE waits for nobody: a reader only delays it to the next time.
    db.pragma('wal_checkpoint(PASSIVE)')
  }

  return {
    end: () => end,
    add(batch) {
      if (batch.first !== end.seq + 1) throw new Error(`record ${batch.first} was added behind record ${end.seq}`)
      const lines = linesIn(batch)
      // Made by entry.ts, on the other side of a thread.
      const rows = JSON.parse(batch.columns) as Columns[]
      insertAll.immediate(lines, rows, batch.first)
      for (const [index, row] of rows.entries()) ledger.apply(markOf(row), batch.first + index)
      bytes += batch.lines.length
      end = batch.end
    },
    settle,
    tidy() {
      if (bytes >= tidyAfterBytes) tidyNow()
    },
    settled: () => settled,
    openThings: () => ledger.open(),
    record(seq) {
      const row = statements.lineAt.get(seq)
      if (row === undefined) throw new Error(`record ${seq} is missing`)
      // Its chain was checked when the trail was opened, so it is what we wrote.
      return JSON.parse(row.line) as AuditRecord
    },
    close() {
      try {
        tidyNow()
      } finally {
        db.close()
      }
    },
    abandon() {
      db.close()
    },
  }
}

function linesIn({ lines }: Batch): readonly Buffer[] {
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.length)
  const found: Buffer[] = []
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.indexOf('\n', from)
    found.push(bytes.subarray(from, to))
    from = to + 1
  }
  return found
}

/** Reads the tail, proves it, and finds out what is open. Throws if it was damaged: nothing may be added to such a trail. */
function recover(db: Database): End & { readonly ledger: Ledger } {
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

function markOf([, type, session, , , connection, command, approval, verdict]: Columns): Mark {
  return { type, session, connection, command, approval, verdict }
}

function prepare(db: Database) {
  return {
    line: db.prepare(insertLines(1)),
    lines: db.prepare(insertLines(rowsAtOnce)),
    record: db.prepare(insertRecords(1)),
    records: db.prepare(insertRecords(rowsAtOnce)),
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

function insertLines(rows: number): string {
  // Bytes that are text already: as a string they would be decoded here and encoded there.
  return `INSERT INTO lines (seq, line) VALUES ${Array(rows).fill('(?, CAST(? AS TEXT))').join(', ')}`
}

function insertRecords(rows: number): string {
  return `INSERT INTO records (seq, at, type, session, target, user, connection, command, approval, verdict)
    VALUES ${Array(rows).fill('(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').join(', ')}`
}

function startSession(statement: Statement, record: RecordOf<'session.start'>): void {
  const { session, seq, user, subject, agent, reason, targets, at } = record
  statement.run(session, seq, user, subject, agent, reason, JSON.stringify(targets), at)
}

function endSession(statement: Statement, record: RecordOf<'session.end'>): void {
  statement.run(record.at, record.why, record.session)
}
