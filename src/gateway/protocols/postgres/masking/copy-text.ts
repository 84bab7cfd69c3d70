/** One row of COPY's text format: values between delimiters, with backslash escapes. Bytes in, bytes out. */

export interface RowText {
  /** The values of a line, null for NULL; undefined: it is not a line with that many values. */
  read(line: Buffer, count: number): readonly (RawValue | null)[] | undefined
  /** A value as it has to stand in a line. */
  write(value: Buffer | null): Buffer
  readonly delimiter: Buffer
}

/** Where a value stands in the line, and what it says. */
export interface RawValue {
  readonly start: number
  readonly end: number
  value(): Buffer
}

const backslash = 0x5c
const letters: Readonly<Record<string, number>> = { b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 }

export function createTextRows(delimiter: string, nullText: string): RowText {
  const separator = delimiter.charCodeAt(0)
  const nothing = Buffer.from(nullText)
  return {
    delimiter: Buffer.from(delimiter),
    read(line, count) {
      const values: (RawValue | null)[] = []
      let start = 0
      for (let at = 0; at <= line.length; at++) {
        if (at < line.length && line[at] !== separator) {
          // The byte behind a backslash never ends a value.
          if (line[at] === backslash) at++
          continue
        }
        const end = Math.min(at, line.length)
        const from = start
        const raw = line.subarray(from, end)
        values.push(raw.equals(nothing) ? null : { start: from, end, value: () => readEscapes(raw) })
        if (values.length > count) return undefined
        start = end + 1
      }
      return values.length === count ? values : undefined
    },
    write: (value) => (value === null ? nothing : writeEscapes(value, separator)),
  }
}

function readEscapes(raw: Buffer): Buffer {
  if (!raw.includes(backslash)) return raw
  const text = raw
    .toString('latin1')
    .replace(/\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|([\s\S]))/g, (_, octal, hex, char) => {
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff)
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
      const code = letters[char]
      return code === undefined ? char : String.fromCharCode(code)
    })
  return Buffer.from(text, 'latin1')
}

function writeEscapes(value: Buffer, separator: number): Buffer {
  const text = value.toString('latin1').replace(/[\\\b\t\n\v\f\r]/g, (char) => {
    const letter = Object.entries(letters).find(([, code]) => code === char.charCodeAt(0))?.[0]
    return `\\${letter ?? char}`
  })
  const delimiter = String.fromCharCode(separator)
  return Buffer.from(delimiter === '\t' ? text : text.replaceAll(delimiter, `\\${delimiter}`), 'latin1')
}
