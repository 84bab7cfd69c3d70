/** A line of output with what detectors find in it hidden: escape sequences stay, and so does every byte beside. Pure. */
import type { Masks } from '../../checkpoint.ts'
import { bytesAsText } from './bytes-as-text.ts'
import { type PlacedSequence, type VisibleText, visibleText } from './visible-text.ts'

/** A stretch of the visible bytes, and what stands there instead. */
export interface Hidden {
  readonly start: number
  readonly end: number
  readonly instead: Buffer
}

/** Bytes of one line, or of several that belong together. */
export interface Line {
  readonly bytes: Buffer
  /** So many at its beginning are out already: of a sequence or a character that a flush cut in two, */
  readonly sent: number
  /** which ends here. */
  readonly passed: number
}

export interface Looked {
  readonly line: Line
  readonly visible: VisibleText
  readonly hidden: readonly Hidden[]
  /** What sequences say instead of what they said, by the place of their payload. */
  readonly retold: ReadonlyMap<number, Buffer>
}

/** Shorter titles and links hold nothing that is recognised. */
const shortestPayload = 6

export function lookAt(line: Line, masks: Masks): Looked {
  const visible = visibleText(line.bytes, line.passed)
  const retold = new Map<number, Buffer>()
  for (const { payload } of visible.sequences) {
    if (payload === undefined || payload.end - payload.start < shortestPayload) continue
    const said = line.bytes.subarray(payload.start, payload.end)
    const found = findIn(said, masks)
    if (found.length > 0) retold.set(payload.start, replaced(said, found))
  }
  return { line, visible, hidden: findIn(visible.bytes, masks), retold }
}

/** The line up to a place of its visible text, as it may be shown; without what is out already. */
export function shownOf(looked: Looked, to = looked.visible.bytes.length): Buffer {
  const { visible, hidden, retold } = looked
  const { bytes: line, sent } = looked.line
  const end = visible.place(to)
  if (hidden.length === 0 && retold.size === 0) return line.subarray(sent, end)
  const pieces: Buffer[] = []
  let at = sent
  const keep = (until: number) => {
    pieces.push(retell(line, at, until, visible.sequences, retold))
    at = until
  }
  for (const { start: first, end: last, instead } of hidden) {
    if (last > to) continue
    keep(visible.place(first))
    pieces.push(instead)
    // What a finding covers ends with its last byte, and not where the next one stands: sequences between are kept as they are.
    const until = last > first ? Math.max(visible.place(last - 1) + 1, at) : at
    for (const sequence of sequencesWithin(visible.sequences, at, until)) {
      pieces.push(retell(line, sequence.start, sequence.end, [sequence], retold))
      at = sequence.end
    }
    at = Math.max(at, until)
  }
  keep(end)
  return Buffer.concat(pieces)
}

function sequencesWithin(all: readonly PlacedSequence[], start: number, end: number): readonly PlacedSequence[] {
  return all.filter((one) => one.start >= start && one.start < end)
}

function retell(
  line: Buffer,
  start: number,
  end: number,
  sequences: readonly PlacedSequence[],
  retold: ReadonlyMap<number, Buffer>,
): Buffer {
  if (retold.size === 0) return line.subarray(start, end)
  const pieces: Buffer[] = []
  let at = start
  for (const { payload } of sequences) {
    const instead = payload === undefined ? undefined : retold.get(payload.start)
    if (payload === undefined || instead === undefined || payload.start < at || payload.end > end) continue
    pieces.push(line.subarray(at, payload.start), instead)
    at = payload.end
  }
  pieces.push(line.subarray(at, end))
  return Buffer.concat(pieces)
}

function replaced(bytes: Buffer, hidden: readonly Hidden[]): Buffer {
  const pieces: Buffer[] = []
  let at = 0
  for (const { start, end, instead } of hidden) {
    pieces.push(bytes.subarray(at, start), instead)
    at = end
  }
  pieces.push(bytes.subarray(at))
  return Buffer.concat(pieces)
}

function findIn(bytes: Buffer, masks: Masks): readonly Hidden[] {
  if (!masks.suspects(bytes, 0, bytes.length)) return []
  const { text, place, encode } = bytesAsText(bytes)
  return masks.find(text).map(({ start, end, instead }) => ({
    start: place(start),
    end: place(end),
    // A stream has no value that could vanish as a whole: what may not be seen at all is shown as dots.
    instead: encode(instead ?? masks.mask('redact', '') ?? ''),
  }))
}
