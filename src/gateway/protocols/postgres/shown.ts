/** What the client gets to see of an answer: untouched, masked by its permit's duties, or withheld. */
import type { CopyHandling, RowHandling } from './parts.ts'
import { code, endsConnection, errorResponse, noticeResponse, readFields } from './messages.ts'
import type { Run } from './run.ts'
import { andThen, type Soon } from './soon.ts'
import type { Talk } from './talk.ts'
import { beginningBytes, type Piece } from './wire.ts'

export interface Shown {
  /** How much of a frame of this type has to be looked at now; undefined: no more than usual. `run`: whose answer is due. */
  limit(type: number, run: Run | undefined): number | undefined
  plain(piece: Piece): void
  /** Our words in the place of the target's. */
  ours(piece: Piece, frame: Buffer): void
  description(piece: Piece, run: Run | undefined): Soon<void>
  /** One that we asked for: it is not shown. */
  silentDescription(piece: Piece, run: Run | undefined): Soon<void>
  /** One row, or a run of them. `description`: what the client was told of these very rows before the run began. */
  rows(piece: Piece, run: Run | undefined, description: Buffer | undefined): Soon<void>
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
  let streaming = false

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
  function planRows(run: Run, description: Buffer | undefined): Soon<RowHandling> {
    const handling = masker.rows(description, run.statement, run.permit, session, description !== undefined)
    return andThen(handling, (planned) => {
      run.rows = planned
      return planned
    })
  }

  function filtered(piece: Piece, run: Run, handling: RowHandling): void {
    if (!isLooking(handling)) {
      pass(piece, run, piece.frames)
      return
    }
    run.shown(0, piece.frames)
    // In parts: too large to be looked at, or it began before we knew that it has to be.
    replace(piece, piece.last ? handling.rows(piece.bytes) : handling.tooLarge(piece.total), run)
  }

  return {
    limit(type, run) {
      switch (type) {
        case dataRow:
          return isLookedAt(run) && (run.rows === undefined || isLooking(run.rows)) ? limits.rowBytes : undefined
        case copyData:
          return isLookedAt(run) && run.copy !== 'untouched' ? limits.rowBytes : undefined
        case functionResult:
          return talk.lastMasked === undefined ? undefined : limits.rowBytes
        case errorSaid:
        case noticeSaid:
        case notification:
        case parameterSaid:
          return longestSaid
        default:
          return undefined
      }
    },
    plain(piece) {
      streaming = false
      dropping = false
      counting = undefined
      outlet.add(piece.bytes)
    },
    ours(piece, frame) {
      streaming = false
      replace(piece, frame)
    },
    description(piece, run) {
      // What columns there are is no secret: only their values are masked.
      pass(piece, undefined, 0)
      return isLookedAt(run) ? andThen(planRows(run, piece.bytes), nothingMore) : undefined
    },
    silentDescription(piece, run) {
      return isLookedAt(run) ? andThen(planRows(run, piece.bytes), nothingMore) : undefined
    },
    rows(piece, run, description) {
      streaming = true
      if (!isLookedAt(run)) return pass(piece, run, piece.frames)
      return andThen(run.rows ?? planRows(run, description), (handling) => filtered(piece, run, handling))
    },
    async copyOut(piece, run) {
      if (isLookedAt(run)) run.copy = await masker.copyOut(piece.bytes, run.statement, run.permit, session)
      pass(piece, undefined, 0)
    },
    copyData(piece, run) {
      streaming = true
      const filter: CopyHandling | undefined = run?.copy
      if (filter === undefined || filter === 'untouched') {
        if (isLookedAt(run) && filter === undefined) throw new Error('COPY data before its beginning')
        return pass(piece, run, 0)
      }
      replace(piece, piece.last ? filter.data(piece.bytes) : filter.tooLarge(piece.total), run)
    },
    copyDone(piece, run) {
      streaming = false
      const filter = run?.copy
      if (run !== undefined && filter !== undefined && filter !== 'untouched') {
        const end = filter.end()
        run.shown(end.length, 0)
        outlet.add(end)
      }
      pass(piece, undefined, 0)
    },
    said(piece, run) {
      streaming = false
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
      return streaming
    },
    more(piece) {
      if (dropping) return
      counting?.shown(piece.bytes.length, 0)
      outlet.add(piece.bytes)
    },
  }
}

const dataRow = code('D')
const copyData = code('d')
const functionResult = code('V')
const errorSaid = code('E')
const noticeSaid = code('N')
const notification = code('A')
const parameterSaid = code('S')

function isLookedAt(run: Run | undefined): run is Run {
  return run !== undefined && (!run.permit.masks.empty || run.permit.sampleRows > 0)
}

function isLooking(handling: RowHandling): handling is Exclude<RowHandling, 'untouched'> {
  return handling !== 'untouched' && !handling.sated
}

function nothingMore(): void {}

/** A message that is too long to be masked: its kind and code stay, its words do not. */
function withheld(piece: Piece): Buffer {
  const fields = readFields(piece.bytes.subarray(0, beginningBytes))
  const message = 'a message of the target was withheld: it is too long to be masked'
  const sqlState = fields.get('C') ?? 'XX000'
  if (piece.type === noticeSaid) return noticeResponse({ severity: 'NOTICE', sqlState, message })
  return errorResponse({ severity: endsConnection(fields) ? 'FATAL' : 'ERROR', sqlState, message })
}
