/** A value that has a name, as it may be written down. Pure. */
import { isSecretName } from '../../base/secret-names.ts'
import { type Pair, pairsOf } from '../../base/urlencoded.ts'
import type { Masks, MaskStyle } from './masking.ts'
import { redactText } from './redact-text.ts'

/** How a member at this place is hidden in records: as masks say, and what is a secret by its name always. */
export function styleOf(path: readonly string[], masks: Masks): MaskStyle | undefined {
  const style = masks.hasFields ? masks.field(path) : undefined
  // Not by the style of a mask: part of a password, or its hash, is too much.
  return isSecretName(path.at(-1) ?? '') ? (style === 'null' ? 'null' : 'redact') : style
}

/** The very same string where there is nothing to hide. */
export function redactNamed(name: string, value: string, masks: Masks): string {
  if (value === '') return value
  const style = styleOf([name], masks)
  if (style !== undefined) return masks.mask(style, value) ?? ''
  return redactText(value, masks)
}

/** The pairs of a query or a form; what stays the same stays as it was written. */
export function redactPairs(text: string, masks: Masks): string {
  const once = redactWith(pairsOf(text), text, masks)
  // To some servers `;` stands between pairs too.
  return once.includes(';') ? redactWith(pairsOf(once, '&;'), once, masks) : once
}

function redactWith(pairs: readonly Pair[], text: string, masks: Masks): string {
  let redacted = ''
  let from = 0
  for (const { name, value, start, end } of pairs) {
    const shown = redactNamed(name, value, masks)
    if (shown === value) continue
    redacted += text.slice(from, start) + shown
    from = end
  }
  return from === 0 ? text : redacted + text.slice(from)
}
