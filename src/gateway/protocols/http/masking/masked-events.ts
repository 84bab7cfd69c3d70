/**
 * Masks server-sent events (text/event-stream, as HTML defines it) one by one: an event goes on as soon as it is complete,
 * and the very bytes of it where nothing is hidden. JSON in `data` is masked as JSON, anything else as text. What is spread
 * over several events (a model's answer, word by word) is not found.
 */
import type { Masks } from '../../../checkpoint.ts'
import { WithheldError } from '../exchange.ts'
import { maskedWhole } from './masked-whole.ts'
import { joined, nothing, type Passage } from './passage.ts'

/** A longer event is shown without its data. */
const longestEvent = 1024 * 1024
const lineFeed = 0x0a
const carriageReturn = 0x0d
const mark = Buffer.from([0xef, 0xbb, 0xbf])

interface Line {
  /** With its end. */
  readonly raw: Buffer
  readonly name: string
  readonly value: string
  readonly lineEnd: string
}

export function createMaskedEvents(masks: Masks): Passage {
  const maskText = maskedWhole(masks)
  const dots = masks.mask('redact', '') ?? ''
  /** The line that has begun. */
  let begun: Buffer[] = []
  /** The event that has begun. */
  let event: Line[] = []
  let bytes = 0
  let isFirst = true
  let masked = false

  function takeLine(): Buffer {
    const line = joined(begun)
    begun = []
    return line
  }

  function add(raw: Buffer, out: Buffer[]): void {
    const line = lineOf(raw, isFirst)
    isFirst = false
    if (line.name === '' && line.value === '') {
      out.push(finish(), raw)
      return
    }
    bytes += raw.length
    // A comment says nothing; it keeps the connection alive, and must not wait for an event.
    if (line.name === '' && event.length === 0) {
      bytes = 0
      out.push(shownLine(line))
    } else if (bytes <= longestEvent) event.push(line)
  }

  function finish(): Buffer {
    const lines = event
    const isTooLong = bytes > longestEvent
    event = []
    bytes = 0
    const data = lines.filter(({ name }) => name === 'data')
    const said = data.map(({ value }) => value).join('\n')
    const shown = isTooLong ? dots : data.length === 0 ? said : (maskText(said) ?? dots)
    if (shown === said) return joined(lines.map((line) => (line.name === 'data' ? line.raw : shownLine(line))))
    masked = true
    const [first] = data
    const lineEnd = first?.lineEnd ?? '\n'
    const instead = Buffer.from(shown.replace(/^/gm, 'data: ').replaceAll('\n', lineEnd) + lineEnd)
    const others = lines.filter((line) => line === first || line.name !== 'data')
    const pieces = others.map((line) => (line === first ? instead : shownLine(line)))
    return joined(first === undefined ? [...pieces, instead] : pieces)
  }

  function shownLine({ raw, name, value, lineEnd }: Line): Buffer {
    const shown = masks.detect(value)
    if (shown === value) return raw
    masked = true
    return Buffer.from(`${name}: ${shown ?? dots}${lineEnd}`)
  }

  function* linesOf(chunk: Buffer): Iterable<Buffer> {
    let from = 0
    // A carriage return may be half of a line's end.
    if (begun.length > 0 && begun.at(-1)?.at(-1) === carriageReturn && chunk.length > 0) {
      from = chunk[0] === lineFeed ? 1 : 0
      begun.push(chunk.subarray(0, from))
      yield takeLine()
    }
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at]
      if (byte !== lineFeed && byte !== carriageReturn) continue
      if (byte === carriageReturn && at === chunk.length - 1) break
      if (byte === carriageReturn && chunk[at + 1] === lineFeed) at++
      begun.push(chunk.subarray(from, at + 1))
      from = at + 1
      yield takeLine()
    }
    if (from < chunk.length) begun.push(chunk.subarray(from))
  }

  /** A line without an end that is longer than an event may be: the rest of it is not kept. */
  function bound(): void {
    const length = begun.reduce((sum, part) => sum + part.length, 0)
    if (length > longestEvent) throw new WithheldError('a line in it is too long to be looked at')
  }

  return {
    push(chunk) {
      const out: Buffer[] = []
      for (const line of linesOf(chunk)) add(line, out)
      bound()
      return joined(out)
    },
    /** An event that ends with a carriage return alone is complete, and nobody can know before more comes. */
    flush() {
      if (begun.at(-1)?.at(-1) !== carriageReturn) return nothing
      const out: Buffer[] = []
      add(takeLine(), out)
      return joined(out)
    },
    end() {
      const out: Buffer[] = []
      if (begun.length > 0) add(takeLine(), out)
      out.push(finish())
      return joined(out)
    },
    get waiting() {
      return begun.at(-1)?.at(-1) === carriageReturn
    },
    get masked() {
      return masked
    },
  }
}

function lineOf(raw: Buffer, isFirst: boolean): Line {
  const bytes = isFirst && raw.subarray(0, mark.length).equals(mark) ? raw.subarray(mark.length) : raw
  const text = bytes.toString()
  const end = /(?:\r\n|\r|\n)?$/.exec(text)?.[0] ?? ''
  const line = text.slice(0, text.length - end.length)
  const colon = line.indexOf(':')
  const lineEnd = end === '' ? '\n' : end
  if (colon < 0) return { raw, name: line, value: '', lineEnd }
  return { raw, name: line.slice(0, colon), value: line.slice(colon + 1).replace(/^ /, ''), lineEnd }
}
