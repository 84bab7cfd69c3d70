/**
 * Masks JSON whose bytes are cut anywhere: members by their place, strings and numbers by detectors. Only what is masked is
 * written anew; every other byte stays. Memory is bounded: of a value that is looked at, as much as the longest one; of a
 * masked object or array, nothing.
 *
 * A masked string is shown in the style of its mask. Whatever else is masked (a number, an object) is null, because a
 * client that expects a number would break on dots, and null stays null.
 */
import { type JsonKind, JsonReader } from '../../../../base/json-reader.ts'
import type { MaskStyle, Masks } from '../../../checkpoint.ts'
import { WithheldError } from '../exchange.ts'
import { createMaskedLines } from './masked-lines.ts'
import { memberStyles, type Place } from './member-styles.ts'
import { joined, nothing, type Passage } from './passage.ts'

export interface MaskedJson extends Passage {
  /** A value was read whole; others may follow. */
  readonly whole: boolean
}

/** A string that is longer is withheld where somebody would have to look into it. */
const longestValue = 1024 * 1024
const recordSeparator = 0x1e
const shortestCard = 13
const longestNumber = 64
const nullBytes = Buffer.from('null')

/** What is being read and cannot be shown before it has ended. Places are counted from the first byte of all. */
interface Watched {
  readonly kind: JsonKind
  readonly start: number
  readonly style: MaskStyle | undefined
  /** How deep the reader was. */
  readonly depth: number
}

/** Also of several values, one behind the other (NDJSON, RFC 7464, watches). */
export function createMaskedJson(masks: Masks): MaskedJson {
  const styles = masks.hasFields ? memberStyles(masks) : undefined
  const around: Place[] = []
  let depth = 0
  let watched: Watched | undefined
  let held: Buffer[] = []
  let heldBytes = 0
  let masked = false
  /** What follows behind something that is no JSON, where only detectors look. */
  let rest: Passage | undefined

  let reader = createReader()
  /** Where the reader began. */
  let readerStart = 0
  let begun = false
  let ended = false
  let hadOne = false

  let chunk: Buffer = nothing
  let chunkStart = 0
  /** Everything up to here is in `out`, or is not to be. */
  let copied = 0
  let out: Buffer[] = []

  function createReader(): JsonReader {
    // Each member is masked where it stands: what readers disagree on makes no difference.
    return new JsonReader({ begin, end }, { doubtful: 'accept' })
  }

  function begin(kind: JsonKind, at: number, step: string | number | undefined): void {
    begun = true
    const isContainer = kind === 'object' || kind === 'array'
    if (isContainer) depth++
    if (watched !== undefined) return
    const place = placeOf(step)
    const style = place?.style
    const isLookedAt = style !== undefined || (masks.hasDetectors && (kind === 'string' || kind === 'number'))
    if (isContainer ? style !== undefined : isLookedAt) watched = { kind, start: readerStart + at, style, depth }
    else if (isContainer && place !== undefined) around.push(place)
  }

  function placeOf(step: string | number | undefined): Place | undefined {
    if (styles === undefined) return undefined
    const outer = around.at(-1)
    return outer === undefined || step === undefined ? styles.root : styles.inside(outer, step)
  }

  function end(kind: JsonKind, at: number): void {
    const isContainer = kind === 'object' || kind === 'array'
    if (watched === undefined) {
      if (isContainer) around.pop()
    } else if (isContainer === isDropped(watched) && watched.depth === depth) finish(watched, readerStart + at)
    if (isContainer) depth--
    ended = depth === 0
    hadOne ||= ended
  }

  /** The value has ended that was watched. */
  function finish(value: Watched, end: number): void {
    const instead = insteadOf(value, end)
    watched = undefined
    if (instead === undefined) out.push(...held)
    else {
      masked = true
      copyTo(value.start)
      out.push(instead)
      copied = end
    }
    held = []
    heldBytes = 0
  }

  /** undefined: it may be shown as it is. */
  function insteadOf({ kind, start, style }: Watched, end: number): Buffer | undefined {
    if (kind === 'null') return undefined
    if (style !== undefined && (kind !== 'string' || style === 'null')) return nullBytes
    if (end - start > longestValue) return stringOf(masks.mask('redact', ''))
    const written = writtenBetween(start, end)
    if (style !== undefined) return stringOf(masks.mask(style, said(written)))
    return kind === 'string' ? detectedInString(masks, written) : detectedInNumber(masks, written)
  }

  function writtenBetween(start: number, end: number): Buffer {
    const here = chunk.subarray(Math.max(0, start - chunkStart), end - chunkStart)
    return held.length === 0 ? here : Buffer.concat([...held, here])
  }

  function copyTo(place: number): void {
    if (place <= copied) return
    out.push(chunk.subarray(copied - chunkStart, place - chunkStart))
    copied = place
  }

  /** The piece has been read: what of it nobody waits for goes out. */
  function leave(): void {
    const chunkEnd = chunkStart + chunk.length
    if (watched === undefined) copyTo(chunkEnd)
    else {
      copyTo(watched.start)
      if (!isDropped(watched)) hold(chunk.subarray(Math.max(0, watched.start - chunkStart)))
      copied = chunkEnd
    }
    chunkStart = chunkEnd
    chunk = nothing
  }

  function hold(bytes: Buffer): void {
    heldBytes += bytes.length
    // A longer one is not shown, so that nothing of it is needed.
    if (heldBytes > longestValue) held = []
    else if (bytes.length > 0) held.push(bytes)
  }

  function take(): Buffer {
    const taken = joined(out)
    out = []
    return taken
  }

  function read(): void {
    while (!reader.push(chunk.subarray(Math.max(0, readerStart - chunkStart)))) {
      const { at = 0, reason = '' } = reader.fault ?? {}
      const place = readerStart + at
      if (ended) restart(place)
      else if (!begun && chunk[place - chunkStart] === recordSeparator) restart(place + 1)
      else {
        giveUp(reason)
        return
      }
    }
  }

  function restart(place: number): void {
    reader = createReader()
    readerStart = place
    begun = false
    ended = false
    around.length = 0
  }

  /** Fail closed: nobody can tell what are members in what is no JSON. */
  function giveUp(reason: string): void {
    if (masks.hasFields) throw new WithheldError(`it is no JSON, though it says so: ${reason}`)
    rest = createMaskedLines(masks)
    const from = watched === undefined ? copied : Math.max(watched.start, copied)
    copyTo(from)
    const left = joined([...held, chunk.subarray(Math.max(0, from - chunkStart))])
    held = []
    watched = undefined
    if (heldBytes > longestValue) out.push(stringOf(masks.mask('redact', '')))
    out.push(rest.push(left))
    copied = chunkStart + chunk.length
  }

  const restOf = () => rest

  return {
    push(bytes) {
      if (rest !== undefined) return rest.push(bytes)
      chunk = bytes
      read()
      leave()
      return take()
    },
    end() {
      if (rest !== undefined) return rest.end()
      if (begun && !reader.end()) giveUp(reader.fault?.reason ?? 'it ends too early')
      leave()
      return joined([take(), restOf()?.end() ?? nothing])
    },
    flush: () => rest?.flush?.() ?? nothing,
    get waiting() {
      return rest?.waiting === true
    },
    get masked() {
      return masked || rest?.masked === true
    },
    get whole() {
      return hadOne
    },
  }
}

/** It is masked whatever it says, so that nothing of it is kept. */
function isDropped({ kind }: Watched): boolean {
  return kind === 'object' || kind === 'array'
}

function stringOf(value: string | null): Buffer {
  return value === null ? nullBytes : Buffer.from(JSON.stringify(value))
}

/** The reader has found it to be a JSON string. */
function said(written: Buffer): string {
  return String(JSON.parse(written.toString()))
}

const backslash = 0x5c

function detectedInString(masks: Masks, written: Buffer): Buffer | undefined {
  const inside = written.subarray(1, -1)
  if (inside.indexOf(backslash) < 0 && !masks.suspects(inside, 0, inside.length)) return undefined
  const value = said(written)
  const shown = masks.detect(value)
  return shown === value ? undefined : stringOf(shown)
}

/** Card numbers are numbers to some. */
function detectedInNumber(masks: Masks, written: Buffer): Buffer | undefined {
  if (written.length > longestNumber) return undefined
  const text = written.toString('latin1')
  const whole = /[.eE]/.test(text) ? String(Number(text)) : text
  if (whole.length < shortestCard || !/^-?\d+$/.test(whole)) return undefined
  return masks.detect(whole) === whole ? undefined : nullBytes
}
