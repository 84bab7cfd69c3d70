/** Any text as it may be written down: what detectors find is masked, and passwords never stand there. Pure. */
import { hasMarks } from './marks.ts'
import { dots } from './mask-styles.ts'
import type { Masks } from './masking.ts'
import { findPasswords } from './passwords.ts'

/** Text that is no command of its own: an error's message, a line of an earlier command. */
export function redactText(text: string, masks: Masks): string {
  const detected = detect(text, masks) ?? detectedAway(text)
  const passwords = findPasswords(detected)
  if (passwords.length === 0) return detected
  let redacted = ''
  let from = 0
  for (const { start, end } of passwords) {
    redacted += `${detected.slice(from, start)}${dots}`
    from = end
  }
  return redacted + detected.slice(from)
}

/** null: nothing of it may be shown. */
export function detect(text: string, masks: Masks): string | null {
  return masks.hasDetectors && hasMarks(text) ? masks.detect(text) : text
}

/** A detector of style `null` takes the whole value away; of a statement its first word is left, to be of some use. */
function detectedAway(text: string): string {
  return `${/^\s*([A-Za-z]*)/.exec(text)?.[1] ?? ''} ${dots}`.trimStart()
}
