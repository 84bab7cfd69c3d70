/** What the client gets to see of an answer: untouched, masked by its permit's duties, or withheld. */
import type { ResultMasker, RowHandling } from './parts.ts'
import { endsConnection, errorResponse, noticeResponse, readFields } from './messages.ts'
import type { Run } from './run.ts'
import type { Talk } from './talk.ts'
import { beginningBytes, type Piece } from './wire.ts'

export interface Shown {
  /** How much of a frame of this type has to be looked at now; undefined: no more than usual. */
  limit(type: number): number | undefined
  plain(piece: Piece): void
  /** Our words in the place of the target's. */
  ours(piece: Piece, frame: Buffer): void
  description(piece: Piece, run: Run | undefined): Promise<void>
  /** One that we asked for: it is not shown. */
  silentDescription(piece: Piece, run: Run | undefined): Promise<void>
  row(piece: Piece, run: Run | undefined): Promise<void> | void
  copyOut(piece: Piece, run: Run | undefined): Promise<void>
  copyData(piece: Piece, run: Run | undefined): void
  copyDone(piece: Piece, run: Run | undefined): void
  /** Errors, notices, notifications, parameters, results of functions. Returns the fields that were shown. */
  said(piece: Piece, run: Run | undefined): ReadonlyMap<string, string>
  /** What was shown last is rows or lines of an answer that goes on. */
  readonly isStreaming: boolean
  /** The rest of a frame whose first part came before. */
  more(piece: Piece): void
}

const longestSaid = 1024 * 1024

export function createShown(talk: Talk): Shown {
  const { outlet } = talk.client
  const { masker, session, limits } = talk
  /** What happens to the rest of a frame that comes in parts. */
  let dropping = false
  let counting: Run | undefined
  /** What has to be looked at in the rows or lines of the current answer. */
  let looking = false

  function pass(piece: Piece, run: Run | undefined, rows: number): void {
    dropping = false
    counting = run
    run?.shown(piece.bytes.length, rows)
    outlet.add(piece.bytes)
  }
  function replace(piece: Piece, frames: Buffer, run?: Run): void {
    dropping = !piece.last
    run?.shown(frames.length, 0)
    outlet.add(frames)
  }
  function isLookedAt(run: Run | undefined): run is Run {
    return run !== undefined && (!run.permit.masks.empty || run.permit.sampleRows > 0)
  }
  async function rowsOf(run: Run, description: Buffer | undefined): ReturnType<ResultMasker['rows']> {
    const handling = await masker.rows(description, run.statement, run.permit, session, description !== undefined)
    run.rows = handling
    looking = handling !== 'untouched' && !handling.sated
    return handling
  }

  function filtered(piece: Piece, run: Run, handling: RowHandling): void {
    if (handling === 'untouched' || handling.sated) {
      pass(piece, run, 1)
      return
    }
    run.shown(0, 1)
    // In parts: too large to be looked at, or it began before we knew that it has to be.
    replace(piece, piece.last ? handling.row(piece.bytes) : handling.tooLarge(piece.total), run)
    looking = !handling.sated
  }

  return {
    limit(type) {
      switch (String.fromCharCode(type)) {
        case 'D':
        case 'd':
          return looking ? limits.rowBytes : undefined
        case 'V':
          return talk.lastMasked === undefined ? undefined : limits.rowBytes
        case 'E':
        case 'N':
        case 'A':
        case 'S':
          return longestSaid
        default:
          return undefined
      }
    },
    plain(piece) {
      dropping = false
      counting = undefined
      outlet.add(piece.bytes)
    },
    ours: (piece, frame) => replace(piece, frame),
    async description(piece, run) {
      looking = false
      if (!isLookedAt(run)) return pass(piece, undefined, 0)
      const handling = await rowsOf(run, piece.bytes)
      replace(piece, handling === 'untouched' ? piece.bytes : handling.description)
    },
    async silentDescription(piece, run) {
      looking = false
      if (isLookedAt(run)) await rowsOf(run, Buffer.from(piece.bytes))
    },
    row(piece, run) {
      if (!isLookedAt(run)) return pass(piece, run, 1)
      if (run.rows !== undefined) return filtered(piece, run, run.rows)
      return rowsOf(run, undefined).then((handling) => filtered(piece, run, handling))
    },
    async copyOut(piece, run) {
      looking = false
      if (isLookedAt(run)) {
        run.copy = await masker.copyOut(piece.bytes, run.statement, run.permit, session)
        looking = run.copy !== 'untouched'
      }
      pass(piece, undefined, 0)
    },
    copyData(piece, run) {
      const filter = run?.copy
      if (filter === undefined || filter === 'untouched') {
        if (isLookedAt(run) && filter === undefined) throw new Error('COPY data before its beginning')
        return pass(piece, run, 0)
      }
      replace(piece, piece.last ? filter.data(piece.bytes) : filter.tooLarge(piece.total), run)
    },
    copyDone(piece, run) {
      looking = false
      const filter = run?.copy
      if (run !== undefined && filter !== undefined && filter !== 'untouched') {
        const end = filter.end()
        run.shown(end.length, 0)
        outlet.add(end)
      }
      pass(piece, undefined, 0)
    },
    said(piece, run) {
      const permit = run !== undefined && !run.permit.masks.empty ? run.permit : talk.lastMasked
      if (permit === undefined) {
        pass(piece, undefined, 0)
        return readFields(piece.bytes)
      }
      const frame = piece.last ? masker.said(piece.bytes, permit, session, run?.statement) : withheld(piece)
      if (frame === piece.bytes) pass(piece, undefined, 0)
      else replace(piece, frame)
      return readFields(frame)
    },
    get isStreaming() {
      return counting !== undefined
    },
    more(piece) {
      if (dropping) return
      counting?.shown(piece.bytes.length, 0)
      outlet.add(piece.bytes)
    },
  }
}

/** A message that is too long to be masked: its kind and code stay, its words do not. */
function withheld(piece: Piece): Buffer {
  const fields = readFields(piece.bytes.subarray(0, beginningBytes))
  const message = 'a message of the target was withheld: it is too long to be masked'
  const sqlState = fields.get('C') ?? 'XX000'
  if (piece.type === 'N'.charCodeAt(0)) return noticeResponse({ severity: 'NOTICE', sqlState, message })
  return errorResponse({ severity: endsConnection(fields) ? 'FATAL' : 'ERROR', sqlState, message })
}
