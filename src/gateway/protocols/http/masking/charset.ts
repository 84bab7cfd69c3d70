/** Text in any charset as UTF-8, piece by piece. What says nothing is UTF-8, unless it begins with a mark of UTF-16. */
import { TextDecoder } from 'node:util'
import { joined, nothing, type Passage } from './passage.ts'

const utf8 = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii', 'unicode-1-1-utf-8'])

/** False: there is no way to read it. */
export function isReadable(charset: string | undefined): boolean {
  if (charset === undefined || utf8.has(charset)) return true
  try {
    new TextDecoder(charset)
    return true
  } catch {
    return false
  }
}

export function isUtf8Charset(charset: string | undefined): boolean {
  return charset === undefined || utf8.has(charset)
}

/** The passage behind it sees UTF-8. Of a charset that is readable. */
export function inCharset(charset: string | undefined, passage: Passage): Passage {
  let decoder: TextDecoder | undefined = isUtf8Charset(charset) ? undefined : new TextDecoder(charset)
  let begun = false
  let first: Buffer = nothing

  function decoded(bytes: Buffer): Buffer {
    if (decoder === undefined) return bytes
    return Buffer.from(decoder.decode(bytes, { stream: true }))
  }

  /** Two bytes say whether it is UTF-16. */
  function start(bytes: Buffer, isAll: boolean): Buffer {
    first = joined(first.length === 0 ? [bytes] : [first, bytes])
    if (first.length < 2 && !isAll) return nothing
    begun = true
    if (decoder === undefined && first.length >= 2) {
      const mark = first.readUInt16BE(0)
      if (mark === 0xfffe) decoder = new TextDecoder('utf-16le')
      else if (mark === 0xfeff) decoder = new TextDecoder('utf-16be')
    }
    return decoded(first)
  }

  return {
    push(bytes) {
      return passage.push(begun ? decoded(bytes) : start(bytes, false))
    },
    end() {
      const rest = begun ? nothing : start(nothing, true)
      const last = decoder === undefined ? nothing : Buffer.from(decoder.decode())
      return joined([passage.push(joined([rest, last])), passage.end()])
    },
    releases: () => passage.releases?.() ?? nothing,
    flush: () => passage.flush?.() ?? nothing,
    get waiting() {
      return passage.waiting === true
    },
    get masked() {
      return passage.masked
    },
  }
}
