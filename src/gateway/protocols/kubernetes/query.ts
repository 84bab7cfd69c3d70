/**
 * A query string as the API server's own library reads one (Go's net/url): pairs in their order, `+` for a space. What that
 * library would drop or read differently from others (a bare `;`, half an escape, bytes that are not UTF-8) is a doubt. Pure.
 */

export interface Query {
  /** Every value under this name, in their order. */
  all(name: string): readonly string[]
  /** The first one, which is what the API server takes where it wants one. */
  first(name: string): string | undefined
  readonly pairs: readonly (readonly [name: string, value: string])[]
}

export type QueryReading = { readonly query: Query } | { readonly doubt: string }

/** Of what stands behind the question mark. */
export function readQuery(text: string): QueryReading {
  const pairs: (readonly [string, string])[] = []
  for (const piece of text.split('&')) {
    if (piece === '') continue
    if (piece.includes(';')) return { doubt: 'its query has a bare semicolon' }
    const equals = piece.indexOf('=')
    const name = unescaped(equals < 0 ? piece : piece.slice(0, equals))
    const value = unescaped(equals < 0 ? '' : piece.slice(equals + 1))
    if (name === undefined || value === undefined) return { doubt: 'its query has an escape that is none' }
    pairs.push([name, value])
  }
  return { query: queryOf(pairs) }
}

function queryOf(pairs: readonly (readonly [string, string])[]): Query {
  const all = (wanted: string) => pairs.filter(([name]) => name === wanted).map(([, value]) => value)
  return { pairs, all, first: (wanted) => pairs.find(([name]) => name === wanted)?.[1] }
}

export const emptyQuery: Query = queryOf([])

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
