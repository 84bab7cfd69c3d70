/**
 * The reading thread: answers questions from its own read-only connection, in the order they come. Each answer is bounded
 * in rows looked at and in bytes given back, so that a reader with a rare filter does not keep the others waiting.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { Database } from 'better-sqlite3'
import { hashAtEnd } from '../../contract/chain.ts'
import type { FromReader, QuestionName, Questions, SessionRow, ToReader } from './messages.ts'
import { conditionOf, pageSql, sessionsSql, tailSql, verifySql } from './queries.ts'
import { openForReading, storeReason } from './sqlite.ts'
import { type LineWithColumns, flawInRow } from './proof.ts'

const rowsLookedAt = 100_000
const charactersGiven = 1 << 20

const port = parentPort
if (port === null) throw new Error('reader-worker.ts runs as a worker thread')
// Given by openReader (reader.ts) and typed there.
const { path } = workerData as { path: string }

let db: Database | undefined

const answers: { [K in QuestionName]: (db: Database, ask: Questions[K]['ask']) => Questions[K]['answer'] } = {
  page(db, { wanted, after, upTo, limit }) {
    const { sql, values } = conditionOf(wanted)
    const end = Math.min(upTo, after + rowsLookedAt)
    const lines: string[] = []
    let characters = 0
    const rows = db.prepare<unknown[], { seq: number; line: string }>(pageSql(sql))
    for (const { seq, line } of rows.iterate({ ...values, after, upTo: end, limit })) {
      lines.push(line)
      characters += line.length
      if (characters >= charactersGiven || lines.length === limit) return { lines, next: seq }
    }
    return { lines, next: end }
  },

  tail(db, { wanted, after, from, count }) {
    const { sql, values } = conditionOf(wanted)
    const start = Math.max(after, from - rowsLookedAt)
    const rows = db
      .prepare<unknown[], { seq: number }>(tailSql(sql))
      .all({ ...values, after: start, upTo: from, limit: count })
    const last = rows.at(-1)
    return rows.length === count && last !== undefined
      ? { found: count, lowest: last.seq }
      : { found: rows.length, lowest: start + 1 }
  },

  verify(db, { after, upTo, prev }) {
    let next = after
    let hash = prev ?? lineHash(db, after)
    let characters = 0
    for (const row of db.prepare<unknown[], LineWithColumns>(verifySql).iterate({ after, upTo })) {
      const what = flawInRow(row, { seq: next + 1, prev: hash })
      if (what !== undefined) return { next, prev: hash, flaw: { seq: next + 1, what } }
      next++
      hash = hashAtEnd(row.line)
      characters += row.line.length
      if (characters >= charactersGiven) return { next, prev: hash, flaw: null }
    }
    return { next, prev: hash, flaw: next === upTo ? null : { seq: next + 1, what: 'is missing' } }
  },

  sessions(db, { id, live, user, limit }) {
    return db
      .prepare<unknown[], SessionRow>(sessionsSql)
      .all({ id, live: live ? 1 : 0, user, limit })
      .reverse()
  },
}

function lineHash(db: Database, seq: number): string {
  const row = db.prepare<[number], { line: string }>('SELECT line FROM lines WHERE seq = ?').get(seq)
  return row === undefined ? '' : hashAtEnd(row.line)
}

function answer(message: ToReader): Questions[QuestionName]['answer'] {
  db ??= openForReading(path)
  switch (message.name) {
    case 'page':
      return answers.page(db, message.ask)
    case 'tail':
      return answers.tail(db, message.ask)
    case 'verify':
      return answers.verify(db, message.ask)
    case 'sessions':
      return answers.sessions(db, message.ask)
  }
}

port.on('message', (message: ToReader | 'close') => {
  if (message === 'close') {
    db?.close()
    port.close()
    return
  }
  let reply: FromReader
  try {
    reply = { id: message.id, answer: answer(message) }
  } catch (error) {
    // Another question gets a fresh handle.
    db?.close()
    db = undefined
    reply = { id: message.id, failed: storeReason(error) }
  }
  port.postMessage(reply)
})
