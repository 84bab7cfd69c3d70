/** How a value that must not be seen is shown instead. */
import { createHmac } from 'node:crypto'
import type { Hint, MaskStyle } from './masking.ts'

export const dots = '•••'

/** Strictest first: where several masks fit, the first of them wins. */
const strictness: readonly MaskStyle[] = ['null', 'redact', 'hash', 'partial']

export function strictest(one: MaskStyle | undefined, other: MaskStyle | undefined): MaskStyle | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return strictness.indexOf(one) <= strictness.indexOf(other) ? one : other
}

export function maskValue(style: MaskStyle, value: string, hashKey: Uint8Array): string | null {
  switch (style) {
    case 'null':
      return null
    case 'redact':
      return dots
    case 'hash':
      // Keyed: without a key, anyone who can list e-mail addresses or card numbers can undo it.
      return `#${createHmac('sha256', hashKey).update(value).digest('hex').slice(0, 12)}`
    case 'partial':
      return hint(value)
    default: {
      const never: never = style
      throw new Error(`unknown mask style ${String(never)}`)
    }
  }
}

const email = /^([^\s@])[^\s@]*(@[^\s@]+\.[^\s@]+)$/u
const longestAddress = 320
const longestNumber = 64
const shortestHintedNumber = 9
const shortestHintedText = 8

/** Enough to recognise a value that one knows already: `a•••@acme.com`, `•••1111`, `s•••`. Short values show nothing. */
function hint(value: string): string {
  const address = value.length <= longestAddress ? email.exec(value) : null
  if (address !== null) return `${address[1]}${dots}${address[2]}`
  if (value.length <= longestNumber && /^[\d\s().+/-]+$/.test(value)) {
    const digits = value.replace(/\D/g, '')
    return digits.length < shortestHintedNumber ? dots : `${dots}${digits.slice(-4)}`
  }
  if (value.length < shortestHintedText) return dots
  const first = value.codePointAt(0)
  return first === undefined ? dots : `${String.fromCodePoint(first)}${dots}`
}

const whitespace = 1
const inNumbers = 2
const digit = 4
const commercialAt = 0x40
const dot = 0x2e

/** What ASCII signs are to `hint`'s expressions. */
const classOf = new Uint8Array(128)
for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code)
  if (/\s/.test(char)) classOf[code] = whitespace | inNumbers
  else if (/\d/.test(char)) classOf[code] = digit | inNumbers
  else if (/[().+/-]/.test(char)) classOf[code] = inNumbers
}

/** The same as `hint` for bytes that are ASCII; undefined for others, and where the last digits do not stand together. */
export function hintOfBytes(bytes: Uint8Array, start: number, end: number): Hint | undefined {
  const length = end - start
  let all = 0xff
  let any = 0
  let digits = 0
  let ats = 0
  let at = 0
  let dotInDomain = false
  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number
    if (byte > 0x7f) return undefined
    const found = classOf[byte] as number
    all &= found
    any |= found
    if ((found & digit) !== 0) digits++
    else if (byte === commercialAt) {
      ats++
      at = index
    } else if (byte === dot && ats === 1 && index > at + 1 && index < end - 1) dotInDomain = true
  }
  if (ats === 1 && at > start && dotInDomain && (any & whitespace) === 0 && length <= longestAddress)
    return { head: 1, tail: end - at }
  if (length > 0 && length <= longestNumber && (all & inNumbers) !== 0) {
    if (digits < shortestHintedNumber) return nothingLeft
    for (let index = end - 4; index < end; index++)
      if (((classOf[bytes[index] as number] as number) & digit) === 0) return undefined
    return lastFour
  }
  return length < shortestHintedText ? nothingLeft : firstOne
}

const nothingLeft: Hint = { head: 0, tail: 0 }
const firstOne: Hint = { head: 1, tail: 0 }
const lastFour: Hint = { head: 0, tail: 4 }
