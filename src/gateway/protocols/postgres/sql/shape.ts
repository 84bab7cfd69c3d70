/**
 * What texts have in common that differ only in integers, found without parsing them. Only texts are taken that can hold
 * nothing but plain tokens: no quotes of any kind, no comments, no backslash, nothing but ASCII, so that neither an
 * encoding nor `standard_conforming_strings` changes how they are read.
 */

export interface Integer {
  readonly start: number
  readonly value: number
}

export interface Shape {
  /** The text, with a sign in the place of each integer that says which other integers it is equal to. */
  readonly key: string
  /** In order; zero too, which stands in the key as it is (`-0` is `0`, unlike all others). */
  readonly integers: readonly Integer[]
}

/** With more digits the lexer may make something else of a number than an int4. */
const mostDigits = 9
/** Signs stand above ASCII, which the text itself does not leave, and are one byte long. */
const firstSign = 0x80
const mostValues = 100
const longest = 16 * 1024

const other = 0
const refused = 1
const digit = 2
/** Beside a digit it makes something else of it: a name, a decimal number, `0x1f`, `$1`. */
const joining = 3

const classOf = new Uint8Array(128).fill(refused)
for (let code = 0x20; code < 0x7f; code += 1) classOf[code] = other
for (const blank of '\t\n\r') classOf[blank.charCodeAt(0)] = other
for (const quote of '\'"\\`') classOf[quote.charCodeAt(0)] = refused
for (const sign of '_.$') classOf[sign.charCodeAt(0)] = joining
for (let code = 0x30; code <= 0x39; code += 1) classOf[code] = digit
for (let code = 0x41; code <= 0x5a; code += 1) {
  classOf[code] = joining
  classOf[code + 0x20] = joining
}

/** undefined: it is no text of this kind, or has no integers. */
export function shapeOf(sql: string): Shape | undefined {
  if (sql.length > longest) return undefined
  const integers: Integer[] = []
  const values: number[] = []
  let key = ''
  let copied = 0
  for (let at = 0; at < sql.length; at += 1) {
    const found = classAt(sql, at)
    if (found === refused || beginsComment(sql, at) || isOddDollar(sql, at)) return undefined
    if (found !== digit) continue
    const start = at
    while (classAt(sql, at + 1) === digit) at += 1
    const digits = at + 1 - start
    if (digits > mostDigits || classAt(sql, start - 1) === joining || classAt(sql, at + 1) === joining) continue
    const value = Number(sql.slice(start, at + 1))
    integers.push({ start, value })
    if (value === 0) continue
    const same = values.indexOf(value)
    const sign = same >= 0 ? same : values.push(value) - 1
    if (sign >= mostValues) return undefined
    key += sql.slice(copied, start) + String.fromCharCode(firstSign + sign)
    copied = at + 1
  }
  return values.length === 0 ? undefined : { key: key + sql.slice(copied), integers }
}

/** What is before the text and behind it joins nothing. */
function classAt(sql: string, at: number): number {
  if (at < 0 || at >= sql.length) return other
  return classOf[sql.charCodeAt(at)] ?? refused
}

function beginsComment(sql: string, at: number): boolean {
  const code = sql.charCodeAt(at)
  return (code === 0x2d && sql.charCodeAt(at + 1) === 0x2d) || (code === 0x2f && sql.charCodeAt(at + 1) === 0x2a)
}

/** `$1` is a parameter; `$$` and `$tag$` are quotes. */
function isOddDollar(sql: string, at: number): boolean {
  return sql.charCodeAt(at) === 0x24 && classAt(sql, at + 1) !== digit
}
