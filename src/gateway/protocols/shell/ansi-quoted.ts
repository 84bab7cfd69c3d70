/** `$'…'` of bash: escapes as in C. */
import { NotUnderstood } from './tree.ts'

const letters: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

const escaped = /\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|c(.)|(.))/sy

/** From behind `$'`. The value is in bytes, as the text is. */
export function ansiQuoted(text: string, from: number): { readonly value: string; readonly end: number } {
  let value = ''
  let at = from
  while (text.charAt(at) !== "'") {
    if (at >= text.length) throw new NotUnderstood('a quote is not closed')
    escaped.lastIndex = at
    const found = escaped.exec(text)
    value += found === null ? text.charAt(at) : meant(found)
    at += found?.[0].length ?? 1
  }
  return { value, end: at + 1 }
}

function meant([whole, hex, short, long, octal, control, letter]: RegExpExecArray): string {
  if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
  if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff)
  const point = short ?? long
  if (point !== undefined) {
    const code = Number.parseInt(point, 16)
    return code > 0x10ffff ? whole : Buffer.from(String.fromCodePoint(code)).toString('latin1')
  }
  if (control !== undefined) return String.fromCharCode(control.charCodeAt(0) & 0x1f)
  if (letter === undefined) return whole
  if (Object.hasOwn(letters, letter)) return letters[letter] ?? whole
  return `\\'"?`.includes(letter) ? letter : whole
}
