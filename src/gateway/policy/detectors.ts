/**
 * Finds values that look like secrets in any text. Pure. Each finder takes time in proportion to the text: it starts from
 * a fixed mark (`@`, `eyJ`, a digit) and looks a bounded way around it, because the text comes from whoever wrote the row.
 */
import type { DetectorName } from '../config/schema.ts'
import { cloudKeys, keyMarks } from './cloud-keys.ts'
import { ibanEnd } from './iban.ts'

export interface Finding {
  readonly start: number
  readonly end: number
}

type Find = (text: string) => Iterable<Finding>

export const detectors: Readonly<Record<DetectorName, Find>> = {
  email: findEmails,
  card: findCards,
  iban: findIbans,
  'us-ssn': (text) => matches(text, [ssn]),
  jwt: findJwts,
  'private-key': findPrivateKeys,
  'cloud-key': (text) => (keyMarks.test(text) ? matches(text, cloudKeys) : []),
}

// 000, 666 and 900–999 were never given out as areas, nor 00 as a group, nor 0000 as a number.
const ssn = /(?<![\d-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])/g

function* matches(text: string, patterns: readonly RegExp[]): Iterable<Finding> {
  for (const pattern of patterns)
    for (const match of everyMatch(text, pattern)) yield { start: match.index, end: match.index + match[0].length }
}

/** As `matchAll`, which compiles a copy of the expression each time; its place is kept here instead. */
function* everyMatch(text: string, pattern: RegExp): Iterable<RegExpExecArray> {
  for (let from = 0; ; ) {
    pattern.lastIndex = from
    const match = pattern.exec(text)
    if (match === null) return
    from = match.index + match[0].length
    yield match
  }
}

const longestLocalPart = 64
const longestDomain = 253

function* findEmails(text: string): Iterable<Finding> {
  let from = 0
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let start = at
    while (start > from && at - start < longestLocalPart && isLocal(text.charCodeAt(start - 1))) start--
    while (start < at && !isWord(text.charCodeAt(start))) start++
    let end = at + 1
    while (end < text.length && end - at <= longestDomain && isDomain(text.charCodeAt(end))) end++
    while (end > at + 1 && !isWord(text.charCodeAt(end - 1))) end--
    if (start < at && hasTopLevel(text.slice(at + 1, end))) {
      yield { start, end }
      from = end
    }
  }
}

function hasTopLevel(domain: string): boolean {
  const dot = domain.lastIndexOf('.')
  return (
    dot > 0 &&
    !domain.startsWith('-') &&
    !domain.includes('..') &&
    /^(?:[^\W\d_]|[^\0-\x7f]){2,}$|^xn--/i.test(domain.slice(dot + 1))
  )
}

/** Letters, digits and everything that is not ASCII. */
function isWord(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || ((code & 0xdf) >= 0x41 && (code & 0xdf) <= 0x5a) || code > 0x7f
}

function isLocal(code: number): boolean {
  // . _ % + - ' & ~ beside words; the other signs that RFC 5322 allows are far more often punctuation.
  return isWord(code) || [0x2e, 0x5f, 0x25, 0x2b, 0x2d, 0x27, 0x26, 0x7e].includes(code)
}

function isDomain(code: number): boolean {
  return isWord(code) || code === 0x2e || code === 0x2d
}

const shortestCard = 13
const longestCard = 19
const digitRun = /(?<![A-Za-z0-9])\d{1,19}(?:([ -])\d{1,19}(?:\1\d{1,19})*)?(?![A-Za-z0-9])/g

function* findCards(text: string): Iterable<Finding> {
  for (const match of everyMatch(text, digitRun)) {
    const before = text.charCodeAt(match.index - 1)
    // The fraction of a decimal number.
    if (before === 0x2e && isDigit(text.charCodeAt(match.index - 2))) continue
    const groups = match[1] === undefined ? [match[0]] : match[0].split(match[1])
    let start = match.index
    for (let first = 0; first < groups.length; first++) {
      const taken = cardOf(groups, first)
      if (taken > 0) {
        const length = groups.slice(first, first + taken).reduce((sum, group) => sum + group.length + 1, -1)
        yield { start, end: start + length }
        start += length + 1
        first += taken - 1
      } else start += (groups[first]?.length ?? 0) + 1
    }
  }
}

/** How many groups from this one on are a card number; 0: none. The longest wins. */
function cardOf(groups: readonly string[], first: number): number {
  let digits = ''
  let taken = 0
  // `4111 1111 …` or digit by digit; other lists of numbers would pass the check one time in ten.
  const single = groups[first]?.length === 1
  for (let at = first; at < groups.length; at++) {
    const group = groups[at] ?? ''
    if (groups.length > 1 && (single ? group.length !== 1 : group.length < 3 || group.length > 8)) break
    digits += group
    if (digits.length > longestCard) break
    if (digits.length >= shortestCard && isCardNumber(digits)) taken = at - first + 1
  }
  return taken
}

/** Ranges that card schemes use: Amex 34, 37; Diners 30, 36, 38, 39; JCB 35; Visa 4; Mastercard 51–55, 2221–2720; 50, 56–69. */
const cardPrefix = /^(?:3[04-9]|4|5|6|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))/

function isCardNumber(digits: string): boolean {
  if (!cardPrefix.test(digits)) return false
  let sum = 0
  for (let at = 0; at < digits.length; at++) {
    const value = digits.charCodeAt(digits.length - 1 - at) - 0x30
    sum += at % 2 === 0 ? value : value > 4 ? value * 2 - 9 : value * 2
  }
  return sum % 10 === 0
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

const ibanStart = /(?<![A-Za-z0-9])[A-Za-z]{2}\d\d/g

function* findIbans(text: string): Iterable<Finding> {
  for (const match of everyMatch(text, ibanStart)) {
    const end = ibanEnd(text, match.index)
    if (end !== undefined) yield { start: match.index, end }
  }
}

const base64Url = /[A-Za-z0-9_-]*/y

function* findJwts(text: string): Iterable<Finding> {
  for (let start = text.indexOf('eyJ'); start >= 0; ) {
    const parts = dottedParts(text, start)
    const end = parts.at(-1) ?? start
    if (parts.length >= 3 && isJoseHeader(text.slice(start, parts[0]))) yield { start, end }
    // Everything up to the end of the first part has been looked at: no part starts inside it.
    start = text.indexOf('eyJ', Math.max(parts[0] ?? 0, parts.length >= 3 ? end : 0, start + 3))
  }
}

/** Ends of up to five base64url parts with dots between: a signed token has three, an encrypted one five. */
function dottedParts(text: string, start: number): readonly number[] {
  const ends: number[] = []
  for (let at = start; ends.length < 5; at++) {
    base64Url.lastIndex = at
    base64Url.test(text)
    at = base64Url.lastIndex
    ends.push(at)
    if (text.charCodeAt(at) !== 0x2e) break
  }
  return ends
}

function isJoseHeader(part: string): boolean {
  if (part.length > 8192) return true
  return /"(?:alg|enc|typ|kid|jku|x5t|cty)"\s*:/.test(Buffer.from(part, 'base64url').toString('latin1'))
}

const pemBegin = /-----BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----/g
const pemEnd = /-----END (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----/g

function* findPrivateKeys(text: string): Iterable<Finding> {
  let covered = 0
  for (const begin of everyMatch(text, pemBegin)) {
    if (begin.index < covered) continue
    pemEnd.lastIndex = begin.index + begin[0].length
    const end = pemEnd.exec(text)
    // A key whose end is missing was cut off: what is there of it goes.
    covered = end === null ? text.length : end.index + end[0].length
    yield { start: begin.index, end: covered }
  }
}
