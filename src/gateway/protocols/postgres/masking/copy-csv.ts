/** One row of COPY's CSV format. A value in quotes may hold delimiters and line ends; NULL is never in quotes. */
import { has, isSame, type RowText } from './copy-text.ts'

export function createCsvRows(delimiter: string, nullText: string, quote: string, escapeSign: string): RowText {
  const separator = delimiter.charCodeAt(0)
  const quoting = quote.charCodeAt(0)
  const escaping = escapeSign.charCodeAt(0)
  const nothing = Buffer.from(nullText)

  function read(bytes: Buffer, start: number, end: number, count: number, fields: Int32Array): boolean {
    let found = 0
    let from = start
    let quoted = false
    for (let at = start; at <= end; at++) {
      const byte = at < end ? bytes[at] : undefined
      if (quoted) {
        if (byte === undefined) return false
        const next = at + 1 < end ? bytes[at + 1] : undefined
        if (byte === escaping && (next === quoting || next === escaping)) at++
        else if (byte === quoting) quoted = false
        continue
      }
      if (byte === quoting) {
        quoted = true
        continue
      }
      if (byte !== undefined && byte !== separator) continue
      if (found === count) return false
      fields[found * 2] = from
      fields[found * 2 + 1] = at
      found++
      from = at + 1
    }
    return found === count
  }

  function unquote(raw: Buffer): Buffer {
    const out: number[] = []
    let quoted = false
    for (let at = 0; at < raw.length; at++) {
      const byte = raw[at] ?? 0
      if (quoted && byte === escaping && (raw[at + 1] === quoting || raw[at + 1] === escaping)) out.push(raw[++at] ?? 0)
      else if (byte === quoting) quoted = !quoted
      else out.push(byte)
    }
    return Buffer.from(out)
  }

  return {
    delimiter: Buffer.from(delimiter),
    joins: false,
    sign: quoting,
    read,
    isNull: (bytes, start, end) => isSame(bytes, start, end, nothing) && !has(bytes, start, end, quoting),
    value: (bytes, start, end) => unquote(bytes.subarray(start, end)),
    write(value) {
      if (value === null) return nothing
      const text = value.toString('latin1')
      const inner = text.replace(/[\s\S]/g, (char) =>
        char === quote || char === escapeSign ? escapeSign + char : char,
      )
      return Buffer.from(quote + inner + quote, 'latin1')
    },
  }
}
