/**
 * The target's direction: every answer is matched with what it answers, masked where the permit says so, and shown in the
 * order in which it came. What nobody has to look at streams through as the bytes that arrived.
 */
import { hoopError } from '../../../contract/error-codes.ts'
import type { Intake } from '../wire/intake.ts'
import type { Expected } from './ledger.ts'
import {
  code,
  endsConnection,
  readCommandTag,
  readFields,
  readParameterStatus,
  readParameterTypes,
  readReady,
} from './messages.ts'
import { refusalResponse } from './refusals.ts'
import { createShown } from './shown.ts'
import type { Run } from './run.ts'
import { andThen, type Soon } from './soon.ts'
import { releaseAsides, stopAsking, type Talk } from './talk.ts'
import { createCutter, nameOfType, type Piece } from './wire.ts'

const smallAnswer = 1024 * 1024

/** Resolves when the target says no more. */
export async function listenToTarget(talk: Talk, intake: Intake): Promise<void> {
  const shown = createShown(talk)
  const cutter = createCutter({
    from: 'the target',
    limit: (type) => shown.limit(type, runOf(talk.ledger.head())) ?? limitOf(type),
    runs: isBulk,
  })
  for (;;) {
    const chunk = await intake.next()
    if (chunk === undefined) return
    // Nobody reads the rows any more: PostgreSQL itself gives up a statement whose client is gone when it writes to it.
    if (talk.client.outlet.closed.aborted && shown.isStreaming) talk.outward.destroy()
    cutter.feed(chunk)
    for (let piece = cutter.next(); piece !== undefined; piece = cutter.next()) {
      talk.betweenFrames = piece.last
      // Most answers need no waiting, and a turn of the event loop for each row would cost more than the row.
      const waiting = piece.first ? answer(piece) : shown.more(piece)
      if (waiting !== undefined) await waiting
      if (piece.last && talk.asides.length > 0) releaseAsides(talk)
    }
    // The end of an answer leaves at once.
    await (shown.isStreaming ? talk.client.outlet.flushPart() : talk.client.outlet.flush())
  }

  function answer(piece: Piece): Soon<void> {
    const { ledger, session } = talk
    const head = ledger.head()
    switch (String.fromCharCode(piece.type)) {
      case 'D':
        return shown.rows(piece, runOf(head), head?.kind === 'execute' ? head.portal?.description : undefined)
      case 'd':
        return shown.copyData(piece, runOf(head))
      case 'T':
        return described(piece, head)
      case 'C':
        return completed(piece, head)
      case 'Z':
        if (head?.kind !== 'sync' && head?.kind !== 'query' && head?.kind !== 'call') throw outOfTurn(piece, head)
        talk.copying = undefined
        finishQuery(head)
        session.ready(readReady(piece.bytes))
        shown.plain(piece)
        return ledger.shift(true)
      case '1':
        return acknowledged(piece, head, 'parse')
      case '2':
        return acknowledged(piece, head, 'bind')
      case '3':
        return acknowledged(piece, head, 'close')
      case 'n':
        return nothingToDescribe(piece, head)
      case 't':
        if (head?.kind !== 'describe-statement') throw outOfTurn(piece, head)
        if (head.prepared !== undefined) head.prepared.types = readParameterTypes(piece.bytes)
        return shown.plain(piece)
      case 's':
        if (head?.kind !== 'execute') throw outOfTurn(piece, head)
        if (head.run !== undefined) {
          head.run.begun = true
          if (head.portal === undefined) head.run.settle({ status: 'done' })
        }
        shown.plain(piece)
        return ledger.shift(true)
      case 'I':
        if (head?.kind === 'execute') {
          head.run?.settle({ status: 'done' })
          ledger.shift(true)
        } else if (head?.kind !== 'query') throw outOfTurn(piece, head)
        return shown.plain(piece)
      case 'G':
        if (head?.kind !== 'execute' && head?.kind !== 'query') throw outOfTurn(piece, head)
        return beginCopyIn(piece, head)
      case 'H':
        return shown.copyOut(piece, runOf(head))
      case 'c':
        return shown.copyDone(piece, runOf(head))
      case 'V':
        if (head?.kind !== 'call') throw outOfTurn(piece, head)
        head.run.settle({ status: 'done' })
        shown.said(piece, head.run)
        return
      case 'E':
        return failed(piece, head)
      case 'S': {
        const { name, value } = readParameterStatus(piece.bytes)
        session.reported(name, value)
        shown.said(piece, runOf(head))
        return
      }
      case 'N':
      case 'A':
        shown.said(piece, runOf(head))
        return
      default:
        throw outOfTurn(piece, head)
    }
  }

  function acknowledged(piece: Piece, head: Expected | undefined, kind: Expected['kind']): void {
    if (head?.kind !== kind) throw outOfTurn(piece, head)
    shown.plain(piece)
    talk.ledger.shift(true)
  }

  function described(piece: Piece, head: Expected | undefined): Soon<void> {
    switch (head?.kind) {
      case 'query':
        return shown.description(piece, runOf(head))
      case 'describe-portal':
        if (!head.shown) return andThen(shown.silentDescription(piece, nextRun(talk)), () => talk.ledger.shift(true))
        // Kept for its Execute; the frame is a view into what arrived.
        if (head.portal !== undefined) head.portal.description = Buffer.from(piece.bytes)
        shown.plain(piece)
        break
      case 'describe-statement':
        shown.plain(piece)
        break
      default:
        throw outOfTurn(piece, head)
    }
    talk.ledger.shift(true)
  }

  function nothingToDescribe(piece: Piece, head: Expected | undefined): void {
    if (head?.kind !== 'describe-portal' && head?.kind !== 'describe-statement') throw outOfTurn(piece, head)
    if (head.kind === 'describe-statement' || head.shown) shown.plain(piece)
    talk.ledger.shift(true)
  }

  function completed(piece: Piece, head: Expected | undefined): void {
    const tag = readCommandTag(piece.bytes)
    if (head?.kind !== 'execute' && head?.kind !== 'query') throw outOfTurn(piece, head)
    talk.copying = undefined
    talk.session.tagged(tag, head.kind === 'execute' || head.runs.length === 1)
    const run = runOf(head)
    if (run !== undefined && !run.settled) {
      run.tagged(tag)
      talk.session.apply(run.statement.effects)
    }
    shown.plain(piece)
    if (head.kind === 'execute') {
      run?.settle({ status: 'done' })
      talk.ledger.shift(true)
      return
    }
    // The last one is over with ReadyForQuery only: text that was not parsed may hold more commands than we know of.
    if (head.at < head.runs.length - 1) run?.settle({ status: 'done' })
    head.at += 1
  }

  function beginCopyIn(piece: Piece, head: Extract<Expected, { kind: 'execute' | 'query' }>): void {
    const run = runOf(head)
    if (run !== undefined) run.begun = true
    if (head.kind === 'execute') talk.ledger.ignoreSyncsOfCopy()
    if (!talk.ledger.hasCopyEnd()) talk.copying = head
    shown.plain(piece)
  }

  function failed(piece: Piece, head: Expected | undefined): void {
    const fields = readFields(piece.bytes)
    const fatal = endsConnection(fields)
    if (head?.kind === 'refused' && !fatal) {
      shown.ours(piece, refusalResponse(head.refusal))
      talk.session.failed()
      talk.ledger.shift(false)
      return
    }
    talk.session.failed()
    talk.copying = undefined
    const run = runOf(head)
    const told = shown.said(piece, run)
    const error = { code: told.get('C') ?? 'XX000', message: told.get('M') ?? '' }
    if (head === undefined || fatal) {
      run?.settle({ status: 'failed', error })
      return
    }
    switch (head.kind) {
      case 'sync':
        // Its ReadyForQuery still comes.
        return
      case 'query':
        run?.settle({ status: 'failed', error })
        for (const other of head.runs) other.skip()
        return
      case 'call':
        head.run.settle({ status: 'failed', error })
        return
      default: {
        run?.settle({ status: 'failed', error })
        const { found, skipped } = talk.ledger.skipToSync()
        for (const entry of skipped) skip(entry)
        if (found) return
        talk.skipping = true
        stopAsking(talk, 'failed')
      }
    }
  }
}

/** Types whose frames may be large, and what has to be whole of them when nobody looks inside. */
function limitOf(type: number): number | undefined {
  switch (String.fromCharCode(type)) {
    case 'D':
    case 'd':
    case 'V':
      return 0
    case 'T':
    case 't':
      return 16 * smallAnswer
    default:
      return 'CZ123nsIGHcESNA'.includes(String.fromCharCode(type)) ? smallAnswer : undefined
  }
}

/** Rows and lines: what comes by the million. */
function isBulk(type: number): boolean {
  return type === row || type === line
}

const row = code('D')
const line = code('d')

/** The command that an answer in this place is about. */
export function runOf(head: Expected | undefined): Run | undefined {
  switch (head?.kind) {
    case 'bind':
    case 'execute':
    case 'call':
      return head.run
    case 'query':
      return head.runs[Math.min(head.at, head.runs.length - 1)]
    default:
      return undefined
  }
}

/** The Execute behind a Describe of ours. */
function nextRun(talk: Talk): Run | undefined {
  for (const entry of talk.ledger.pending()) if (entry.kind === 'execute') return entry.run
  return undefined
}

function finishQuery(head: Expected): void {
  if (head.kind !== 'query') return
  for (const run of head.runs) run.settle({ status: 'done' })
}

export function skip(entry: Expected): void {
  if ('run' in entry) entry.run?.skip()
  if (entry.kind === 'query') for (const run of entry.runs) run.skip()
}

function outOfTurn(piece: Piece, head: Expected | undefined): Error {
  const due = head === undefined ? 'nothing was asked' : `an answer to ${head.kind} is due`
  return hoopError('protocol-error', `the target sent a message of type ${nameOfType(piece.type)} where ${due}`)
}
