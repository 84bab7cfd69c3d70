/**
 * The journal's format. A batch is one frame: a line of ASCII that says what follows, then the sealed lines themselves.
 *
 *     hoop-journal 1 FIRST COUNT BYTES⏎   first record's number, how many, how many bytes follow
 *     {"v":1,"seq":FIRST,…}⏎ …
 *
 * A file is written from its beginning, over what an earlier round left there, so old frames stand behind the newest one.
 * Records prove themselves by their hashes: a frame counts only if each of its lines does. Pure.
 */
import { flawIn, hashAtEnd } from '../../contract/chain.ts'
import type { Batch } from './seal.ts'

export interface Frame {
  readonly first: number
  readonly lines: readonly string[]
}

const magic = 'hoop-journal 1 '
const longestHeader = 64
const headerForm = /^hoop-journal 1 (\d{1,15}) (\d{1,9}) (\d{1,10})\n/

/** As pieces to be written one behind the other. */
export function frameOf({ first, end, lines }: Batch): readonly [header: Uint8Array, body: Uint8Array] {
  return [Buffer.from(`${magic}${first} ${end.seq - first + 1} ${lines.length}\n`), lines]
}

export interface Reading {
  /** Those that follow each other from the beginning of the file. */
  readonly frames: readonly Frame[]
  /** A whole frame with records newer than these stands behind something that is none: frames between were damaged. */
  readonly lost: Frame | undefined
}

export function readFrames(file: Buffer): Reading {
  const frames: Frame[] = []
  let next = 0
  let at = 0
  for (let found = frameAt(file, at); found !== undefined; found = frameAt(file, at)) {
    if (frames.length > 0 && found.frame.first !== next) break
    frames.push(found.frame)
    next = found.frame.first + found.frame.lines.length
    at = found.end
  }
  return { frames, lost: newerBehind(file, at, next) }
}

/** No text that anybody asks can fake a frame: a line feed inside a record is always escaped. */
function newerBehind(file: Buffer, from: number, next: number): Frame | undefined {
  for (let at = file.indexOf(`\n${magic}`, from); at >= 0; at = file.indexOf(`\n${magic}`, at + 1)) {
    const header = headerAt(file, at + 1)
    if (header === undefined || header.first < next) continue
    const found = frameAt(file, at + 1)
    if (found !== undefined) return found.frame
  }
  return undefined
}

function headerAt(file: Buffer, at: number) {
  const header = headerForm.exec(file.toString('latin1', at, at + longestHeader))
  if (header === null) return undefined
  const [text, first, count, bytes] = header
  const start = at + text.length
  return { first: Number(first), count: Number(count), start, end: start + Number(bytes) }
}

function frameAt(file: Buffer, at: number): { readonly frame: Frame; readonly end: number } | undefined {
  const header = headerAt(file, at)
  if (header === undefined || header.end > file.length || file[header.end - 1] !== lineFeed) return undefined
  const lines = file.toString('utf8', header.start, header.end - 1).split('\n')
  if (lines.length !== header.count) return undefined
  // What comes before the first record is for whoever adds them to a chain to compare.
  let prev = prevOf(lines[0] ?? '')
  for (const [index, line] of lines.entries()) {
    if (flawIn(line, { seq: header.first + index, prev }) !== undefined) return undefined
    prev = hashAtEnd(line)
  }
  return { frame: { first: header.first, lines }, end: header.end }
}

const lineFeed = 0x0a

/** The hash that a sealed line says it follows; whether it is sealed is for flawIn to find out. */
export function prevOf(line: string): string {
  return /"prev":"([0-9a-f]{64})","hash":"[0-9a-f]{64}"\}$/.exec(line)?.[1] ?? ''
}
