/**
 * One word of a shell: what its quotes and expansions make of it. Where shells differ ($'…' is a quote in bash, and a
 * dollar sign before a quote in dash) it is marked as hidden.
 * XCU 2.2, 2.3 and 2.6: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
 */
import { ansiQuoted } from './ansi-quoted.ts'
import { skipArithmetic, skipBraces, skipBrackets, skipParentheses } from './brackets.ts'
import { NotUnderstood, type Part, type Script, type Word } from './tree.ts'

/** A place in a text, and who reads the commands within a word. */
export interface Cursor {
  readonly text: string
  at: number
  /** Reads commands up to the `)` that closes them, and steps over it. */
  substitution(): Script
  /** Reads the commands of a text of its own. */
  script(text: string): Script
  /** Another place, from which to read what stands between brackets of this text. */
  within(text: string): Cursor
}

const wordEnds = ' \t\n;&|()<>'

/** Reads the word that begins at the cursor; it is empty where none does. */
export function readWord(cursor: Cursor): Word {
  const { text } = cursor
  const start = cursor.at
  const word = new Draft()
  while (cursor.at < text.length) {
    const from = cursor.at
    const char = text.charAt(from)
    const next = text.charAt(from + 1)
    if ((char === '<' || char === '>') && next === '(') {
      cursor.at += 2
      word.scripts.push(cursor.substitution())
      word.expand(from, cursor)
    } else if (wordEnds.includes(char)) break
    else if (char === '\\' && next === '\n') cursor.at += 2
    else if (char === '\\') {
      cursor.at = Math.min(from + 2, text.length)
      word.quote(text.slice(from, cursor.at).slice(next === '' ? 0 : 1))
      word.part(from, cursor.at, true)
    } else if (char === "'") readSingleQuotes(cursor, word)
    else if (char === '"') readDoubleQuotes(cursor, word, from)
    else if (char === '$') readDollar(cursor, word, false)
    else if (char === '`') readBackquotes(cursor, word, false)
    else if ('?*+@!'.includes(char) && next === '(') {
      // An extended pattern of bash. zsh takes what stands in such brackets for code: `*(e:'…':)`.
      cursor.at = skipParentheses(text, from + 1)
      word.glob = true
      word.hidden = true
      readInner(cursor, word, text.slice(from + 2, cursor.at - 1))
      word.expand(from, cursor)
    } else {
      cursor.at += 1
      word.add(char)
      word.part(from, cursor.at, true)
    }
  }
  return word.finish(text.slice(start, cursor.at), start)
}

/** What is expanded in a text that is read as if between double quotes: the body of a here-document, arithmetic. */
export function readExpansions(cursor: Cursor): Word {
  const word = new Draft()
  readQuoted(cursor, word, undefined)
  return word.finish(cursor.text, 0)
}

/** Bytes back to text. */
export function decoded(bytes: string): string {
  return /[\x80-\xff]/.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes
}

class Draft {
  glob = false
  hidden = false
  readonly scripts: Script[] = []
  #value = ''
  #head = ''
  /** What it begins with for certain, quoted or not. */
  #known = ''
  #isOpen = false
  #headEnds = false
  #expands = false
  #splits = false
  #quoted = false
  #bracket = false
  /** What stands between `{` and `}` so far. */
  #brace: string | undefined
  readonly #parts: { start: number; end: number; text: boolean }[] = []

  /** An unquoted character. */
  add(char: string): void {
    this.#value += char
    if (!this.#headEnds) this.#head += char
    if (!this.#isOpen) this.#known += '*?['.includes(char) ? '' : char
    if ('*?['.includes(char)) this.#isOpen = true
    if ('*?'.includes(char)) this.glob = true
    if (char === '[') this.#bracket = true
    if (char === ']' && this.#bracket) this.glob = true
    if (char === '{') this.#brace = ''
    else if (this.#brace !== undefined) {
      if (char === '}' && /,|\.\./.test(this.#brace)) this.#splits = true
      this.#brace += char
    }
  }

  quote(chars: string): void {
    this.#value += chars
    if (!this.#isOpen) this.#known += chars
    this.#quoted = true
    this.#headEnds = true
  }

  part(start: number, end: number, text = false): void {
    const last = this.#parts.at(-1)
    if (text && last?.text && last.end === start) last.end = end
    else this.#parts.push({ start, end, text })
  }

  /** Something was read from there to the cursor that becomes what nobody knows; within quotes it stays one word. */
  expand(start: number, cursor: Cursor, quoted = false): void {
    this.#expands = true
    this.#isOpen = true
    this.#headEnds = true
    if (!quoted) {
      this.#splits = true
      this.part(start, cursor.at)
    }
  }

  finish(raw: string, at: number): Word {
    const fixed = !this.#expands && !this.#splits && !this.glob && !this.hidden
    const value = this.#expands || this.#splits ? raw.replaceAll('\\\n', '') : this.#value
    return {
      raw,
      parts: this.#parts.map(({ start, end }): Part => ({ start: start - at, end: end - at })),
      value: decoded(value),
      fixed,
      operand: !this.#splits && /^[^-]/.test(fixed ? value : this.#known),
      literal: fixed && !this.#quoted,
      head: this.#head,
      scripts: this.scripts,
      hidden: this.hidden,
    }
  }
}

function readSingleQuotes(cursor: Cursor, word: Draft): void {
  const from = cursor.at
  const end = cursor.text.indexOf("'", from + 1)
  if (end < 0) throw new NotUnderstood('a quote is not closed')
  const content = cursor.text.slice(from + 1, end)
  // In fish `\'` does not close the quote.
  if (content.endsWith('\\')) word.hidden = true
  cursor.at = end + 1
  word.quote(content)
  word.part(from, cursor.at)
}

function readDoubleQuotes(cursor: Cursor, word: Draft, from: number): void {
  cursor.at += 1
  word.quote('')
  readQuoted(cursor, word, '"')
  if (cursor.text.charAt(cursor.at) !== '"') throw new NotUnderstood('a quote is not closed')
  cursor.at += 1
  word.part(from, cursor.at)
}

function readQuoted(cursor: Cursor, word: Draft, close: string | undefined): void {
  const { text } = cursor
  while (cursor.at < text.length) {
    const char = text.charAt(cursor.at)
    const next = text.charAt(cursor.at + 1)
    if (char === close) return
    if (char === '\\' && next !== '' && '$`"\\\n'.includes(next)) {
      if (next !== '\n') word.quote(next)
      cursor.at += 2
    } else if (char === '$') readDollar(cursor, word, true)
    else if (char === '`') readBackquotes(cursor, word, true)
    else {
      word.quote(char)
      cursor.at += 1
    }
  }
}

const name = /[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]/y

function readDollar(cursor: Cursor, word: Draft, quoted: boolean): void {
  const { text, at: from } = cursor
  const next = text.charAt(from + 1)
  // The name behind a dollar may be cut by a line continuation.
  if (next === '\\' && text.charAt(from + 2) === '\n') throw new NotUnderstood('a line ends within an expansion')
  if (next === "'" && !quoted) {
    const { value, end } = ansiQuoted(text, from + 2)
    cursor.at = end
    word.hidden = true
    word.quote(value)
    word.part(from, cursor.at)
  } else if (next === '"' && !quoted) {
    word.hidden = true
    cursor.at += 1
    readDoubleQuotes(cursor, word, from)
  } else if (next === '(') {
    const arithmetic = text.charAt(from + 2) === '(' ? skipArithmetic(text, from + 1) : undefined
    if (arithmetic === undefined) {
      cursor.at += 2
      word.scripts.push(cursor.substitution())
    } else {
      compute(cursor, word, text.slice(from + 3, arithmetic - 2))
      cursor.at = arithmetic
    }
    word.expand(from, cursor, quoted)
  } else if (next === '[') {
    cursor.at = skipBrackets(text, from + 1)
    compute(cursor, word, text.slice(from + 2, cursor.at - 1))
    word.expand(from, cursor, quoted)
  } else if (next === '{') {
    cursor.at = skipBraces(text, from + 1)
    parameter(cursor, word, text.slice(from + 2, cursor.at - 1))
    word.expand(from, cursor, quoted)
  } else {
    name.lastIndex = from + 1
    const found = name.exec(text)
    cursor.at += 1 + (found?.[0].length ?? 0)
    if (found !== null) word.expand(from, cursor, quoted)
    else if (quoted) word.quote('$')
    else {
      word.add('$')
      word.part(from, cursor.at, true)
    }
  }
}

/** Names in arithmetic are evaluated in turn: with `x='a[$(rm f)]'`, `$((x))` runs rm. */
function compute(cursor: Cursor, word: Draft, text: string): void {
  if (/[A-Za-z_$`]/.test(text.replace(/0[xX][0-9a-fA-F]+/g, ''))) word.hidden = true
  readInner(cursor, word, text)
}

/** No subscript, no indirection, no `@P`, no assignment, no substring: those compute. */
const simpleParameter =
  /^(?:#?(?:[A-Za-z_]\w*|\d+|[@*#?$!-])|(?:[A-Za-z_]\w*|\d+|[@*])(?::?[-+?]|##?|%%?|\/[/#%]?|\^\^?|,,?).*)$/s

function parameter(cursor: Cursor, word: Draft, text: string): void {
  // `${ cmd; }` and `${| cmd; }` run commands in mksh and newer bash.
  if (!/^[#!]?[\w@*#?$!-]/.test(text)) throw new NotUnderstood('an expansion without a name')
  const whole = /^[A-Za-z_]\w*\[(?:\d+|[@*])\]$/.test(text) || /^#[A-Za-z_]\w*\[[@*]\]$/.test(text)
  if (!whole && !simpleParameter.test(text)) word.hidden = true
  // `${x:-<(cmd)}` runs it.
  if (/[<>]\(/.test(text)) word.hidden = true
  readInner(cursor, word, text)
}

/** Commands within brackets, whatever single quotes are in there. */
function readInner(cursor: Cursor, word: Draft, text: string): void {
  const { scripts, hidden } = readExpansions(cursor.within(text.replace(/'/g, '')))
  word.scripts.push(...scripts)
  if (hidden) word.hidden = true
}

function readBackquotes(cursor: Cursor, word: Draft, quoted: boolean): void {
  const { text, at: from } = cursor
  let inner = ''
  let at = from + 1
  for (; text.charAt(at) !== '`'; at += 1) {
    if (at >= text.length) throw new NotUnderstood('a backquote is not closed')
    const next = text.charAt(at + 1)
    if (text.charAt(at) === '\\' && ('$`\\'.includes(next) || (quoted && next === '"'))) at += 1
    inner += text.charAt(at)
  }
  cursor.at = at + 1
  word.scripts.push(cursor.script(inner))
  word.expand(from, cursor, quoted)
}
