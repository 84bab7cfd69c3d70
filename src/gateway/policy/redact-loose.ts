/** Text of no form that could be read for certain, as it may be written down: what stands behind the name of a secret goes. Pure. */
import { isSecretName } from '../../base/secret-names.ts'
import { dots } from './mask-styles.ts'
import type { Masks } from './masking.ts'
import { redactText } from './redact-text.ts'

const named =
  /([\p{L}\p{N}_$.[\]-]{1,64})(\\*["']?\s{0,8}(?:[:=]|=>)\s{0,8})(\\*"(?:[^"\\]|\\[^"])*\\*"?|'[^']*'?|[[{]|[^\s,;&"'<>{}[\]]+)/gu
const element = /<([\p{L}\p{N}_.:-]{1,64})((?:\s[^<>]*)?>)([^<]+)(?=<)/gu

export function redactLoosely(text: string, masks: Masks): string {
  // Names may be hidden behind escapes where nothing says how they are to be read.
  if (/\\u[0-9a-f]{4}/i.test(text)) return `(${text.length} signs that could not be read)`
  const isHidden = (name: string) => isSecretName(name) || masks.meansMember(name)
  let cut: number | undefined
  const shown = text.replace(named, (whole, name: string, between: string, value: string, at: number) => {
    if (!isHidden(name)) return whole
    if (value !== '[' && value !== '{') return `${name}${between}${dots}`
    // Nobody can say where what was opened here ends.
    cut ??= at + name.length + between.length
    return whole
  })
  if (cut !== undefined) return `${redactLoosely(text.slice(0, cut), masks)}${dots}`
  const elements = shown.replace(element, (whole, name: string, rest: string) =>
    isHidden(name.slice(name.indexOf(':') + 1)) ? `<${name}${rest}${dots}` : whole,
  )
  return redactText(elements, masks)
}
