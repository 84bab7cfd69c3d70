/** What single bytes mean in JSON (RFC 8259): tables for json-reader.ts. */

export const sign = {
  tab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  recordSeparator: 0x1e,
  blank: 0x20,
  quote: 0x22,
  comma: 0x2c,
  minus: 0x2d,
  point: 0x2e,
  zero: 0x30,
  colon: 0x3a,
  openArray: 0x5b,
  backslash: 0x5c,
  closeArray: 0x5d,
  u: 0x75,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const

export const byteOrderMark = [0xef, 0xbb, 0xbf] as const

/** 1: stands for itself in a string, and is one byte. */
export const isPlain = new Uint8Array(256)
for (let byte = 0x20; byte < 0x80; byte++) isPlain[byte] = byte === sign.quote || byte === sign.backslash ? 0 : 1

/** 1: may follow a backslash by itself. */
export const isEscape = new Uint8Array(256)
for (const letter of '"\\/bfnrt') isEscape[letter.charCodeAt(0)] = 1

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

/** -1: none. */
export function hexDigit(byte: number): number {
  if (isDigit(byte)) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** Section 6: the parts of a number, in the order of its grammar. */
export const part = {
  minus: 100,
  zero: 101,
  integer: 102,
  point: 103,
  fraction: 104,
  exponent: 105,
  exponentSign: 106,
  exponentDigits: 107,
} as const

/** The part that a number is in behind this byte; undefined: the byte does not belong to it. */
export function numberPart(now: number, byte: number): number | undefined {
  const letter = byte | 0x20
  switch (now) {
    case part.minus:
      if (byte === sign.zero) return part.zero
      return isDigit(byte) ? part.integer : undefined
    case part.integer:
    case part.zero:
      if (now === part.integer && isDigit(byte)) return part.integer
      if (byte === sign.point) return part.point
      return letter === 0x65 ? part.exponent : undefined
    case part.point:
      return isDigit(byte) ? part.fraction : undefined
    case part.fraction:
      if (isDigit(byte)) return part.fraction
      return letter === 0x65 ? part.exponent : undefined
    case part.exponent:
      if (byte === 0x2b || byte === sign.minus) return part.exponentSign
      return isDigit(byte) ? part.exponentDigits : undefined
    default:
      return isDigit(byte) ? part.exponentDigits : undefined
  }
}

/** May a number end in this part? */
export function isWhole(now: number): boolean {
  return now === part.zero || now === part.integer || now === part.fraction || now === part.exponentDigits
}

/** First byte of a character of several bytes (Unicode, table 3-7): how many follow, and what the next one may be. */
export interface Utf8 {
  readonly left: number
  readonly least: number
  readonly most: number
}

/** undefined: no character begins with it. */
export const utf8: readonly (Utf8 | undefined)[] = Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0xc2 && byte <= 0xdf) return { left: 1, least: 0x80, most: 0xbf }
  if (byte >= 0xe0 && byte <= 0xef)
    return { left: 2, least: byte === 0xe0 ? 0xa0 : 0x80, most: byte === 0xed ? 0x9f : 0xbf }
  if (byte >= 0xf0 && byte <= 0xf4)
    return { left: 3, least: byte === 0xf0 ? 0x90 : 0x80, most: byte === 0xf4 ? 0x8f : 0xbf }
  return undefined
})
