/** COPY from the client: data carries no SQL and streams through in runs; only where it ends matters to the conversation. */
import type { Rest } from './rest.ts'
import type { Talk } from './talk.ts'
import type { Piece } from './wire.ts'

export function forwardCopyData(talk: Talk, piece: Piece): Rest {
  const forward = (part: Piece) => {
    const run = runOfCopy(talk)
    run?.sent(part.bytes.length - part.frames * 5)
  }
  forward(piece)
  talk.outward.keepHouse(piece)
  return (part) => {
    forward(part)
    talk.outward.more(part)
    return talk.outward.flush()
  }
}

/** CopyDone or CopyFail. */
export function endCopy(talk: Talk, piece: Piece): Rest {
  talk.copying = undefined
  talk.ledger.push({ kind: 'copy-end', group: talk.group })
  talk.outward.keepHouse(piece)
  return (part) => talk.outward.more(part)
}

function runOfCopy(talk: Talk) {
  const entry = talk.copying
  if (entry?.kind === 'execute') return entry.run
  if (entry?.kind === 'query') return entry.runs[Math.min(entry.at, entry.runs.length - 1)]
  return undefined
}
