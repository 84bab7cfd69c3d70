/** The client's direction: one message after the other is understood, judged and forwarded. */
import { hoopError } from '../../../contract/error-codes.ts'
import { type Ahead, createAhead } from './ahead.ts'
import { callFunction } from './call.ts'
import { endCopy, forwardCopyData } from './copy.ts'
import { createExtended } from './extended.ts'
import { code } from './messages.ts'
import { drop, type Rest } from './rest.ts'
import { query } from './simple.ts'
import { andThen, type Soon } from './soon.ts'
import type { Talk } from './talk.ts'
import { type Cutter, createCutter, type Piece } from './wire.ts'

/** Bytes of a message around its SQL: header, a statement's name, parameter types. */
const aroundSql = 512 * 1024
const smallMessage = 64 * 1024
const copyData = code('d')

/** Resolves when the client says no more. */
export async function listenToClient(talk: Talk): Promise<void> {
  const cutter = createCutter({
    from: 'the client',
    limit: (type) => limits(talk, type),
    // COPY data.
    runs: (type) => type === copyData,
  })
  /** What has arrived and is not dealt with yet begins here. */
  let next = 0
  let pieces: readonly Piece[] = []
  function* upcoming(): Generator<Piece> {
    for (let at = next; at < pieces.length; at += 1) {
      const piece = pieces[at]
      if (piece !== undefined) yield piece
    }
  }
  const ahead = createAhead(talk, upcoming)
  const handle = createHandler(talk, ahead)
  try {
    for (;;) {
      const chunk = await talk.client.intake.next()
      if (chunk === undefined) return
      // The target has ended: what still comes is drained, or closing would reset the link under its last words.
      if (talk.over) continue
      cutter.feed(chunk)
      const cut = cutAll(cutter)
      pieces = cut.pieces
      for (next = 0; next < pieces.length; ) {
        const piece = pieces[next]
        next += 1
        const waiting = piece && handle(piece)
        if (waiting !== undefined) await waiting
      }
      if ('error' in cut) throw cut.error
      await talk.outward.flush()
    }
  } finally {
    await ahead.drop()
  }
}

/** What comes before a flaw is still dealt with. */
function cutAll(cutter: Cutter): { readonly pieces: readonly Piece[]; readonly error?: unknown } {
  const pieces: Piece[] = []
  try {
    for (let piece = cutter.next(); piece !== undefined; piece = cutter.next()) pieces.push(piece)
    return { pieces }
  } catch (error) {
    return { pieces, error }
  }
}

function limits(talk: Talk, type: number): number | undefined {
  switch (String.fromCharCode(type)) {
    case 'Q':
    case 'P':
      return talk.limits.statementBytes + aroundSql
    case 'B':
    case 'F':
      return smallMessage
    case 'D':
    case 'E':
    case 'C':
    case 'S':
    case 'H':
    case 'X':
    case 'c':
      return smallMessage
    case 'd':
    case 'f':
      return 0
    default:
      return undefined
  }
}

/** Most messages need no waiting: a turn of the microtask queue for each would cost more than the message. */
function createHandler(talk: Talk, ahead: Ahead): (piece: Piece) => Soon<void> {
  const extended = createExtended(talk, ahead)
  let rest: Rest | undefined

  function start(piece: Piece): Soon<Rest | undefined> {
    const letter = String.fromCharCode(piece.type)
    if (talk.skipping && letter !== 'S' && letter !== 'X') return drop
    switch (letter) {
      case 'Q':
        return query(talk, piece)
      case 'F':
        return callFunction(talk, piece)
      case 'P':
        return extended.parse(piece)
      case 'B':
        return extended.bind(piece)
      case 'D':
        return extended.describe(whole(piece))
      case 'E':
        return extended.execute(whole(piece))
      case 'C':
        return extended.close(whole(piece))
      case 'H':
        return extended.flush(whole(piece))
      case 'S':
        return extended.sync(whole(piece))
      case 'd':
        return forwardCopyData(talk, piece)
      case 'c':
      case 'f':
        return endCopy(talk, piece)
      case 'X':
        talk.outward.keepHouse(whole(piece))
        talk.outward.end()
        return undefined
      default:
        throw hoopError('internal', `no way to handle a message of type "${letter}"`)
    }
  }

  return (piece) =>
    piece.first
      ? andThen(start(piece), (begun) => {
          rest = begun
        })
      : rest?.(piece)
}

function whole(piece: Piece): Piece {
  if (!piece.last)
    throw hoopError('protocol-error', `the client sent a message of ${piece.total} bytes where a short one is due`)
  return piece
}
