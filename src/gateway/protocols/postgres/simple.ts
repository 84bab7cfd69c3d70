/** The simple protocol: a Query is a batch; all of it is judged before any of it is forwarded. */
import type { Refusal } from '../../../contract/refusal.ts'
import { clear } from './clear.ts'
import { readQuery } from './messages.ts'
import type { Statement } from './parts.ts'
import { drop, type Rest } from './rest.ts'
import { andThen, type Soon } from './soon.ts'
import { type Talk, untilAnswered, untilCertain } from './talk.ts'
import type { Piece } from './wire.ts'

export function query(talk: Talk, piece: Piece): Soon<Rest | undefined> {
  const sql = piece.last ? readQuery(piece.bytes) : piece.bytes.subarray(5)
  return andThen(untilNamed(talk, sql), () => {
    if (talk.skipping || talk.over) return drop
    const whole = piece.last ? undefined : piece.total - 6
    return andThen(talk.reader.read(sql, talk.session, whole), ({ statements }) => ask(talk, piece, statements))
  })
}

/** EXECUTE names a statement; which one it is must not depend on what the server has yet to accept. */
export function untilNamed(talk: Talk, sql: Buffer): Soon<void> {
  return andThen(untilCertain(talk), () => {
    if (talk.session.statements.doubtfulBefore(talk.group) && mentionsExecute(sql))
      return untilAnswered(talk, talk.group - 1)
  })
}

async function ask(talk: Talk, piece: Piece, statements: readonly Statement[]): Promise<Rest | undefined> {
  const { ledger, outward } = talk
  const [first, ...others] = statements
  if (first === undefined) {
    if (!piece.last) throw new Error('a statement that is too large to read cannot be empty')
    ledger.push({ kind: 'query', group: talk.group, runs: [], at: 0 })
    outward.say('empty query')
    talk.group += 1
    return undefined
  }
  const cleared = await clear(talk, [first, ...others])
  if (cleared === 'skipped') return drop
  if ('refusal' in cleared) {
    refuseSimply(talk, cleared.refusal)
    return drop
  }
  const { runs } = cleared
  const [run] = runs
  const entry = ledger.push({ kind: 'query', group: talk.group, runs, at: 0 })
  if (changesMeaning(statements)) talk.unsettled = entry
  const [permit, ...permits] = runs.map(({ permit }) => permit)
  if (permit === undefined) throw new Error('no permit for a command')
  outward.run(piece, [permit, ...permits])
  run.sent(piece.bytes.length)
  talk.group += 1
  return (part) => {
    run.sent(part.bytes.length)
    outward.more(part)
    return outward.flush()
  }
}

/**
 * Refuses what the server would have answered with ReadyForQuery. The target fails in its place, so that an open
 * transaction is aborted there too and the status it then reports is true.
 */
export function refuseSimply(talk: Talk, refusal: Refusal): void {
  talk.ledger.push({ kind: 'refused', group: talk.group, refusal })
  talk.outward.say('failure')
  talk.ledger.push({ kind: 'sync', group: talk.group })
  talk.outward.say('sync')
  talk.group += 1
}

export function changesMeaning(statements: readonly Statement[]): boolean {
  return statements.some(({ effects }) => effects.length > 0)
}

export function mentionsExecute(sql: Buffer): boolean {
  return /execute/i.test(sql.toString('latin1'))
}
