/**
 * What of a line of output is text, and where each byte of it stands: detectors read the text, and what they find is hidden
 * in the line without touching the escape sequences that stand in it. Pure.
 */
import { type Sequence, sequenceAt } from './escape-sequences.ts'

export interface VisibleText {
  readonly bytes: Buffer
  /** Where a byte of the text stands in the line; for the length of the text, where the text ends. */
  place(index: number): number
  /** In order; what stands in them is none of the text. */
  readonly sequences: readonly PlacedSequence[]
}

export interface PlacedSequence {
  readonly start: number
  readonly end: number
  readonly payload: Sequence['payload']
}

const esc = 0x1b
const breaks = 0x0a

/** The first `passed` bytes belong to a sequence or a character that has gone out already. */
export function visibleText(line: Buffer, passed = 0): VisibleText {
  const first = line.indexOf(esc, passed)
  if (first < 0 && passed === 0) return { bytes: line, place: (index) => index, sequences: [] }

  const bytes = Buffer.allocUnsafe(line.length)
  const sequences: PlacedSequence[] = []
  // A stretch of text: from which byte of it on, and how far further on that stands in the line.
  const stretches: { readonly from: number; readonly shift: number }[] = []
  let length = 0
  if (passed > 0) sequences.push({ start: 0, end: passed, payload: undefined })
  for (let at = passed; at < line.length; ) {
    const next = line.indexOf(esc, at)
    const until = next < 0 ? line.length : next
    if (until > at) {
      stretches.push({ from: length, shift: at - length })
      line.copy(bytes, length, at, until)
      length += until - at
    }
    if (next < 0) break
    const found = sequenceAt(line, next, line.length) ?? { end: line.length, payload: undefined, joins: true }
    // An ESC that begins nothing.
    const end = Math.max(found.end, next + 1)
    sequences.push({ start: next, end, payload: found.payload })
    if (!found.joins) {
      stretches.push({ from: length, shift: next - length })
      bytes[length] = breaks
      length += 1
    }
    at = end
  }

  return {
    bytes: bytes.subarray(0, length),
    place(index) {
      if (index >= length) return line.length
      let low = 0
      for (let high = stretches.length; high - low > 1; ) {
        const middle = (low + high) >> 1
        if ((stretches[middle]?.from ?? 0) <= index) low = middle
        else high = middle
      }
      return index + (stretches[low]?.shift ?? 0)
    },
    sequences,
  }
}

/** Bytes at the end of a line that begin a sequence whose end has not come. */
export function unfinishedSequence(line: Buffer, passed: number): number {
  for (let at = line.indexOf(esc, passed); at >= 0; ) {
    const found = sequenceAt(line, at, line.length)
    if (found === undefined) return line.length - at
    at = line.indexOf(esc, Math.max(found.end, at + 1))
  }
  return 0
}

/** The same text, without the places: its length; undefined where sequences carry text of their own. For whole lines. */
export function copyVisible(lines: Uint8Array, into: Uint8Array): number | undefined {
  let length = 0
  for (let at = 0; at < lines.length; ) {
    const byte = lines[at] as number
    if (byte !== esc) {
      into[length++] = byte
      at++
      continue
    }
    const found = sequenceAt(lines, at, lines.length)
    if (found === undefined || found.payload !== undefined) return undefined
    if (!found.joins) into[length++] = breaks
    at = Math.max(found.end, at + 1)
  }
  return length
}

/** The line without its text. */
export function sequencesOf(line: Buffer, { sequences }: VisibleText): Buffer {
  return Buffer.concat(sequences.map(({ start, end }) => line.subarray(start, end)))
}

/** Where a sequence, or a character that lacks some bytes, ends at whose beginning a flush has cut; `sent` bytes are out. */
export function endOfBegun(line: Buffer, sent: number, missing: number): number {
  if (missing === 0) return Math.max(sent, sequenceAt(line, 0, line.length)?.end ?? line.length)
  let end = sent
  while (end < line.length && end < sent + missing && ((line[end] as number) & 0xc0) === 0x80) end++
  return end
}
