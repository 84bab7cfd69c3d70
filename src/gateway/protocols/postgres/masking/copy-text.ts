/** One row of COPY's text format: values between delimiters, with backslash escapes. Bytes in, bytes out. */

/** How a line is read and written. Places are places in whatever the line lies in. */
export interface RowText {
  /** Start and end of each value between these places, in pairs; false: it is not a line with that many values. */
  read(bytes: Buffer, start: number, end: number, count: number, fields: Int32Array): boolean
  isNull(bytes: Buffer, start: number, end: number): boolean
  /** Where this sign does not stand, the bytes of values are what they say: no escapes, no quotes. */
  readonly sign: number
  /** What a value says. */
  value(bytes: Buffer, start: number, end: number): Buffer
  /** A value as it has to stand in a line. */
  write(value: Buffer | null): Buffer
  readonly delimiter: Buffer
  /** Part of a plain value beside what `write` made of another is still a value. */
  readonly joins: boolean
}

const backslash = 0x5c
const letters: Readonly<Record<string, number>> = { b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 }

export function createTextRows(delimiter: string, nullText: string): RowText {
  const separator = delimiter.charCodeAt(0)
  const nothing = Buffer.from(nullText)
  return {
    delimiter: Buffer.from(delimiter),
    joins: true,
    sign: backslash,
    read(bytes, start, end, count, fields) {
      let found = 0
      let from = start
      for (let at = start; at <= end; at++) {
        if (at < end) {
          const byte = bytes[at]
          if (byte !== separator) {
            // The byte behind a backslash never ends a value.
            if (byte === backslash) at++
            continue
          }
        }
        if (found === count) return false
        fields[found * 2] = from
        fields[found * 2 + 1] = at
        found++
        from = at + 1
      }
      return found === count
    },
    isNull: (bytes, start, end) => isSame(bytes, start, end, nothing),
    value: (bytes, start, end) => readEscapes(bytes.subarray(start, end)),
    write: (value) => (value === null ? nothing : writeEscapes(value, separator)),
  }
}

export function isSame(bytes: Buffer, start: number, end: number, other: Buffer): boolean {
  if (end - start !== other.length) return false
  for (let index = start, at = 0; index < end; index++, at++) if (bytes[index] !== other[at]) return false
  return true
}

export function has(bytes: Buffer, start: number, end: number, sign: number): boolean {
  for (let index = start; index < end; index++) if (bytes[index] === sign) return true
  return false
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
