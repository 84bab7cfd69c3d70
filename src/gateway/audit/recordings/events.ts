/**
 * What was shown and typed, as the lines of a recording: pieces that come close together are one event, bytes become text,
 * and a limit is kept. Does no IO and knows no clock: every call says what time it is.
 */
import { type CastCode, endLine, eventLine } from '../../../contract/asciicast.ts'
import { sizeInWords } from '../../../base/size.ts'
import { isText } from './text.ts'

export interface Events {
  /** Takes what it needs of the bytes before it returns. */
  add(code: 'o' | 'i', bytes: Uint8Array, now: number): void
  mark(code: 'r' | 'm', data: string, now: number): void
  /** There was not room for these in memory; says so once text goes on. */
  lose(bytes: number, now: number): void
  end(status: number | null, now: number): void
  /** Completes what still grows, without an end. */
  settle(now: number): void
  /** The lines that are complete, as bytes; those of events that still grow only when they are due. */
  take(now: number): readonly Buffer[]
  /** Milliseconds until something is due; undefined: nothing waits. */
  dueIn(now: number): number | undefined
}

/** Long enough to make few events of a stream, too short to be seen. */
const growMs = 16
const growBytes = 64 * 1024
/** How long bytes that are no text, or were lost, are counted before a marker says so. */
const countMs = 1000

/** Who types is read more closely than what is shown: typed and marked events may go this far beyond the limit. */
const beyond = 1 / 8

interface Growing {
  readonly code: 'o' | 'i'
  readonly at: number
  readonly texts: string[]
  size: number
}

interface Counted {
  readonly at: number
  bytes: number
}

/** `limit`: bytes of the file. `kept`: of it, those that are there already (the header). */
export function createEvents({ limit, kept: begun }: { readonly limit: number; readonly kept: number }): Events {
  const decoders = { o: decoder(), i: decoder() }
  const counted = new Map<'output' | 'input' | 'lost', Counted>()
  let lines: Buffer[] = []
  let growing: Growing | undefined
  let kept = begun
  let shown = 0
  let full = false
  let last: number | undefined

  function put(code: CastCode, data: string, at: number, most: number): boolean {
    // The first event is as late as it is: time begins with the recording.
    const after = last === undefined ? at : Math.max(0, at - last)
    const line = Buffer.from(`${eventLine(Math.round(after), code, data)}\n`)
    if (kept + line.length > most) return false
    // Rounded as it is written, so that what is left out by rounding is not lost for good.
    last = (last ?? 0) + Math.round(after)
    kept += line.length
    lines.push(line)
    return true
  }

  function tell(label: string, at: number): void {
    put('m', label, at, limit + limit * beyond)
  }

  function close(): void {
    if (growing === undefined) return
    const { code, at, texts } = growing
    growing = undefined
    const text = texts.join('')
    if (text === '') return
    if (code === 'i') put('i', text, at, limit + limit * beyond)
    else if (!put('o', text, at, limit)) {
      full = true
      tell(`from here on no output is kept: the recording has reached ${sizeInWords(limit)} (audit.recording)`, at)
    }
  }

  function count(what: 'output' | 'input' | 'lost', bytes: number, now: number): void {
    const already = counted.get(what)
    if (already === undefined) counted.set(what, { at: now, bytes })
    else already.bytes += bytes
  }

  function tellCounted(now: number, isDue: (counted: Counted) => boolean): void {
    for (const [what, one] of counted) {
      if (!isDue(one)) continue
      counted.delete(what)
      const size = sizeInWords(one.bytes)
      if (what === 'lost') tell(`${size} of output not kept: they came faster than they could be written`, now)
      else tell(`${size} of ${what} not kept: they are not text`, now)
    }
  }

  function append(code: 'o' | 'i', text: string, now: number): void {
    if (text === '') return
    if (growing !== undefined && (growing.code !== code || growing.size >= growBytes)) close()
    growing ??= { code, at: now, texts: [], size: 0 }
    growing.texts.push(text)
    growing.size += text.length
  }

  return {
    add(code, bytes, now) {
      if (code === 'o') shown += bytes.length
      if (code === 'o' && full) return
      const what = code === 'o' ? 'output' : 'input'
      if (!isText(bytes)) {
        close()
        // Half a character in front of bytes that are no text does not become whole any more.
        decoders[code] = decoder()
        return count(what, bytes.length, now)
      }
      if (counted.size > 0) {
        close()
        tellCounted(now, () => true)
      }
      append(code, decoders[code].decode(bytes, { stream: true }), now)
    },
    mark(code, data, now) {
      close()
      tellCounted(now, () => true)
      put(code, data, now, limit + limit * beyond)
    },
    lose(bytes, now) {
      shown += bytes
      if (full) return
      close()
      decoders.o = decoder()
      count('lost', bytes, now)
    },
    end(status, now) {
      // A character that never became whole is shown as what it is.
      for (const code of ['o', 'i'] as const) if (code !== 'o' || !full) append(code, decoders[code].decode(), now)
      close()
      tellCounted(now, () => true)
      if (full) tell(`shown in all: ${sizeInWords(shown)}`, now)
      // The end has to be seen whatever the limit.
      if (status !== null) put('x', String(status), now, Number.POSITIVE_INFINITY)
      lines.push(Buffer.from(`${endLine}\n`))
    },
    settle(now) {
      close()
      tellCounted(now, () => true)
    },
    take(now) {
      if (growing !== undefined && now - growing.at >= growMs) close()
      tellCounted(now, ({ at }) => now - at >= countMs)
      const taken = lines
      lines = []
      return taken
    },
    dueIn(now) {
      if (lines.length > 0) return 0
      const moments = [...counted.values()].map(({ at }) => at + countMs)
      if (growing !== undefined) moments.push(growing.at + growMs)
      return moments.length === 0 ? undefined : Math.max(0, Math.min(...moments) - now)
    },
  }
}

/** Holds the beginning of a character back until it is whole; what can never be one becomes U+FFFD. */
function decoder(): InstanceType<typeof TextDecoder> {
  return new TextDecoder('utf-8', { ignoreBOM: true })
}
