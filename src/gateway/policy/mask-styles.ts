/** How a value that must not be seen is shown instead. */
import { createHmac } from 'node:crypto'
import type { MaskStyle } from './masking.ts'

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
const shortestHintedNumber = 9
const shortestHintedText = 8

/** Enough to recognise a value that one knows already: `a•••@acme.com`, `•••1111`, `s•••`. Short values show nothing. */
function hint(value: string): string {
  const address = value.length <= 320 ? email.exec(value) : null
  if (address !== null) return `${address[1]}${dots}${address[2]}`
  if (/^[\d\s().+/-]{1,64}$/.test(value)) {
    const digits = value.replace(/\D/g, '')
    return digits.length < shortestHintedNumber ? dots : `${dots}${digits.slice(-4)}`
  }
  if (value.length < shortestHintedText) return dots
  const first = value.codePointAt(0)
  return first === undefined ? dots : `${String.fromCodePoint(first)}${dots}`
}
