/**
 * Where a statement gives a password away: `PASSWORD 'x'` of CREATE and ALTER ROLE, `password = 'x'`, `OPTIONS (password
 * 'x')`, `password=x` in a connection string, `scheme://user:x@host`. Works on any text, also on what does not parse, and
 * errs towards finding: a word too many that is hidden costs less than a password in the audit.
 */

export interface Span {
  readonly start: number
  readonly end: number
}

const word = /passw(?:or)?d|passphrase|pwd|secret/gi
const url = /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/'"]{0,64}:([^\s@/'"]{1,256})@/gi

/** Every word and URL that is looked for below holds one of these, in any case of letters. */
const marks = /pass|pwd|secret|:\/\//i

export function findPasswords(text: string): readonly Span[] {
  if (!marks.test(text)) return none
  const found: Span[] = []
  const quotes = createQuotes(text)
  for (const match of text.matchAll(url)) {
    const end = match.index + match[0].length - 1
    found.push({ start: end - (match[1]?.length ?? 0), end })
  }
  let from = 0
  for (const match of text.matchAll(word)) {
    if (match.index < from) continue
    const span = valueAfter(text, match.index + match[0].length, quotes)
    if (span === undefined) continue
    found.push(span)
    from = span.end
  }
  return found
    .sort((one, other) => one.start - other.start)
    .filter((span, at, all) => at === 0 || span.start >= (all[at - 1]?.end ?? 0))
}

/** Numbers of the parameters that are compared with, or given as, a password: `password = $2`. */
export function passwordParameters(text: string): ReadonlySet<number> {
  if (!marks.test(text)) return noNumbers
  const found = new Set<number>()
  for (const match of text.matchAll(/passw(?:or)?d"?\s{0,8}=\s{0,8}\$(\d{1,5})/gi)) found.add(Number(match[1]))
  return found
}

const none: readonly Span[] = []
const noNumbers: ReadonlySet<number> = new Set()

/** The value that stands behind the word which ends here. */
function valueAfter(text: string, wordEnd: number, quotes: Quotes): Span | undefined {
  let at = wordEnd
  if (text[at] === '"' || text[at] === "'") at++
  at = skipBlank(text, at)
  if (at - wordEnd > longestBlank) return restOfLiterals(at, quotes)
  if (text.startsWith(':=', at)) at = skipBlank(text, at + 2)
  else if (text[at] === '=' || text[at] === ':') {
    const bare = /[^\s'"$;&,()]{1,256}/y
    bare.lastIndex = at + 1
    // `password=x` of a connection string: it stands inside quotes, unlike a comparison of columns.
    if (bare.test(text) && quotes.isInside(wordEnd)) return { start: at + 1, end: bare.lastIndex }
    at = skipBlank(text, at + 1)
  }
  const prefix = /[eEnN](?=')|[uU]&(?=')/y
  prefix.lastIndex = at
  if (prefix.test(text)) at = prefix.lastIndex
  if (text[at] === '%' || text.startsWith('||', at)) return restOfLiterals(at, quotes)
  if (text[at] === '$') return dollarQuoted(text, at)
  if (text[at] !== "'" && text[at] !== '"') return undefined
  // The quote ends the text that a value is then put behind: `'… PASSWORD ' || quote_literal('x')`.
  return /^'+\s{0,64}(?:\|\||,)/.test(text.slice(at, at + 80)) ? restOfLiterals(at, quotes) : quoted(text, at)
}

/** Comments of a megabyte between word and value are not looked through once for each word that may be inside them. */
const longestBlank = 1024

/** White space and comments, nested ones too; gives up behind the longest. */
function skipBlank(text: string, from: number): number {
  let at = from
  const limit = from + longestBlank
  for (;;) {
    if (at > limit) return at
    const before = at
    while (at <= limit && /\s/.test(text[at] ?? '')) at++
    if (text.startsWith('--', at)) {
      while (at <= limit && at < text.length && text[at] !== '\n') at++
    } else if (text.startsWith('/*', at)) at = afterComment(text, at, limit)
    if (at === before) return at
  }
}

function afterComment(text: string, from: number, limit: number): number {
  let depth = 0
  for (let at = from; at <= limit; at++) {
    if (text.startsWith('/*', at)) {
      depth++
      at++
    } else if (text.startsWith('*/', at)) {
      depth--
      at++
      if (depth === 0) return at + 1
    }
  }
  return limit + 1
}

/** A literal; inside another literal its quotes are doubled, and doubled again: the run of quotes that opens it ends it. */
function quoted(text: string, from: number): Span | undefined {
  const quote = text[from] ?? "'"
  let open = from
  while (text[open] === quote) open++
  let run = open - from
  // An even run is an empty literal where nothing follows, and a doubled quote where something does.
  if (run % 2 === 0 && (open >= text.length || /[\s;),|]/.test(text[open] ?? ''))) return undefined
  if (run % 2 === 1 && run > 1) run = 1
  const start = from + run
  for (let at = start; at < text.length; at++) {
    if (text[at] === '\\') {
      at++
      continue
    }
    if (text[at] !== quote) continue
    let end = at
    while (text[end] === quote) end++
    // Longer runs hold doubled quotes that belong to the value.
    if ((end - at) % (2 * run) !== 0) return { start, end: afterContinuation(text, at, end, quote) }
    at = end - 1
  }
  return { start, end: text.length }
}

/** `'a'` newline `'b'` is one literal. */
function afterContinuation(text: string, at: number, end: number, quote: string): number {
  const next = skipBlank(text, end)
  if (text[next] !== quote || !text.slice(end, next).includes('\n')) return at
  return quoted(text, next)?.end ?? at
}

function dollarQuoted(text: string, from: number): Span | undefined {
  const tag = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y
  tag.lastIndex = from
  const open = tag.exec(text)
  if (open === null) return undefined
  const start = from + open[0].length
  const end = text.indexOf(open[0], start)
  return { start, end: end < 0 ? text.length : end }
}

/** The password is put together out of what follows (`PASSWORD %L', 'x'`): everything up to the last quote goes. */
function restOfLiterals(from: number, quotes: Quotes): Span | undefined {
  return quotes.last > from ? { start: from, end: quotes.last } : undefined
}

interface Quotes {
  /** Where the last quote is; -1: nowhere. */
  readonly last: number
  /** Asked with rising positions, so that the text is walked once. */
  isInside(at: number): boolean
}

function createQuotes(text: string): Quotes {
  let inside = false
  let seen = 0
  return {
    last: text.lastIndexOf("'"),
    isInside(at) {
      for (; seen < at; seen++) if (text[seen] === "'") inside = !inside
      return inside
    },
  }
}
