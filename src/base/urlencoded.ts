/** Percent-encoding (RFC 3986) and the pairs of queries and forms (WHATWG URL, application/x-www-form-urlencoded). Pure. */

/** One `name=value`, with where its value stands in the text, as written. */
export interface Pair {
  readonly name: string
  readonly value: string
  readonly start: number
  readonly end: number
}

/** In their order; a piece without `=` is a name with an empty value. `separators`: what stands between pairs. */
export function pairsOf(text: string, separators: '&' | '&;' = '&'): readonly Pair[] {
  const found: Pair[] = []
  let start = 0
  for (let at = 0; at <= text.length; at++) {
    const sign = text.charAt(at)
    if (at < text.length && sign !== '&' && !(sign === ';' && separators === '&;')) continue
    if (at > start) found.push(pairOf(text, start, at))
    start = at + 1
  }
  return found
}

function pairOf(text: string, start: number, end: number): Pair {
  const equals = text.indexOf('=', start)
  if (equals < 0 || equals >= end) return { name: formDecoded(text.slice(start, end)), value: '', start: end, end }
  return {
    name: formDecoded(text.slice(start, equals)),
    value: formDecoded(text.slice(equals + 1, end)),
    start: equals + 1,
    end,
  }
}

function formDecoded(text: string): string {
  return text.includes('+') ? percentDecoded(text.replaceAll('+', ' ')) : percentDecoded(text)
}

/** Escapes that are none stay as they are; bytes that are not UTF-8 are taken for Latin-1. */
export function percentDecoded(text: string): string {
  if (!text.includes('%')) return text
  return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (escapes) => textOf(Buffer.from(escapes.replaceAll('%', ''), 'hex')))
}

function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  return text.includes('\ufffd') ? bytes.toString('latin1') : text
}
