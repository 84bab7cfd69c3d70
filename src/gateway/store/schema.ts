/**
 * The tables, as a list of steps from an empty file: `user_version` says how many were taken. A step is never edited once
 * released, only followed by another.
 *
 * Both big tables grow at their end only. There is no secondary index on purpose: an index over sessions or users would
 * dirty a page for every busy client in every flush. Filters walk `records`, which is narrow; `lines` is as wide as the
 * statements are.
 */
import type { Database } from 'better-sqlite3'

const steps = [
  `
  CREATE TABLE lines (seq INTEGER PRIMARY KEY, line TEXT NOT NULL) STRICT;

  CREATE TABLE records (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    session TEXT,
    target TEXT,
    user TEXT NOT NULL,
    connection TEXT,
    command TEXT,
    approval TEXT,
    verdict TEXT
  ) STRICT;

  -- Made from the records, to list sessions quickly. commands counts up to ledger.seq; the rest is counted when asked.
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL UNIQUE,
    user TEXT NOT NULL,
    subject TEXT NOT NULL,
    agent TEXT,
    reason TEXT,
    targets TEXT NOT NULL,
    started TEXT NOT NULL,
    ended TEXT,
    why TEXT,
    commands INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  -- One row: what had begun and not ended when record seq was the newest.
  CREATE TABLE ledger (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, open TEXT NOT NULL) STRICT;
  `,
]

export function migrate(db: Database): void {
  const version = Number(db.pragma('user_version', { simple: true }))
  if (version > steps.length)
    throw new Error(`the store has format ${version}; this version of hoop knows ${steps.length}: use a newer one`)
  for (const [index, step] of steps.entries()) {
    if (index < version) continue
    db.transaction(() => {
      db.exec(step)
      db.pragma(`user_version = ${index + 1}`)
    }).immediate()
  }
}
