/**
 * Could any detector find anything in a text? One look at each character, because every statement and every parameter is
 * looked at before it is written down, and hardly any holds a secret. It may say yes for nothing, never no for something
 * that detectors.ts would find. suspicion.ts is the like for raw bytes of rows; names in SQL are longer and need more care.
 */
import { keyMarks } from './cloud-keys.ts'

const shortestCard = 13
const dashesOfPem = 5
/** No key that is told by its look has fewer characters without a blank between. */
const shortestKey = 15

export function hasMarks(text: string): boolean {
  /** Digits so far, not counting blanks and dashes between them. */
  let digits = 0
  let dashes = 0
  /** Characters since the last blank. */
  let run = 0
  let hasLongRun = false
  /** How much of `LLdd` stands before here, at the start of a word; -1: something else. */
  let iban = 0

  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    run = code <= 0x20 ? 0 : run + 1
    if (run === shortestKey) hasLongRun = true

    if (isDigit(code)) {
      digits += 1
      dashes = 0
      if (digits === shortestCard || iban === 3) return true
      iban = iban === 2 ? 3 : -1
      continue
    }
    if (code === dash || code === blank) {
      dashes = code === dash ? dashes + 1 : 0
      if (dashes === dashesOfPem || isSsnAround(text, index)) return true
      iban = 0
      continue
    }
    digits = 0
    dashes = 0
    if (code === at) return true
    if (!isLetter(code)) iban = 0
    else {
      iban = iban === 0 || iban === 1 ? iban + 1 : -1
      if (code === upperJ && text.startsWith('ey', index - 2)) return true
    }
  }
  return hasLongRun && keyMarks.test(text)
}

const at = 0x40
const blank = 0x20
const dash = 0x2d
const upperJ = 0x4a

/** `ddd-dd-dddd`, seen from its first separator. */
function isSsnAround(text: string, index: number): boolean {
  if (text.charCodeAt(index + 3) !== text.charCodeAt(index)) return false
  return [-3, -2, -1, 1, 2, 4, 5, 6, 7].every((offset) => isDigit(text.charCodeAt(index + offset)))
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isLetter(code: number): boolean {
  return (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a
}
