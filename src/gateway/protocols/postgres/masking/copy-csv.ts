/** One row of COPY's CSV format. A value in quotes may hold delimiters and line ends; NULL is never in quotes. */
import type { RawValue, RowText } from './copy-text.ts'

export function createCsvRows(delimiter: string, nullText: string, quote: string, escapeSign: string): RowText {
  const separator = delimiter.charCodeAt(0)
  const quoting = quote.charCodeAt(0)
  const escaping = escapeSign.charCodeAt(0)
  const nothing = Buffer.from(nullText)

  function read(line: Buffer, count: number): readonly (RawValue | null)[] | undefined {
    const values: (RawValue | null)[] = []
    let start = 0
    let quoted = false
    let anyQuote = false
    for (let at = 0; at <= line.length; at++) {
      const byte = line[at]
      if (quoted) {
        if (byte === undefined) return undefined
        if (byte === escaping && (line[at + 1] === quoting || line[at + 1] === escaping)) at++
        else if (byte === quoting) quoted = false
        continue
      }
      if (byte === quoting) {
        quoted = true
        anyQuote = true
        continue
      }
      if (byte !== undefined && byte !== separator) continue
      const from = start
      const raw = line.subarray(from, at)
      const isNull = !anyQuote && raw.equals(nothing)
      values.push(isNull ? null : { start: from, end: at, value: () => unquote(raw) })
      if (values.length > count) return undefined
      start = at + 1
      anyQuote = false
    }
    return values.length === count ? values : undefined
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
    read,
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
