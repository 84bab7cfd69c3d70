/** Field lines by their names, which have no case (RFC 9110, 5). Pure. */
import type { Fields } from './exchange.ts'

/** The only line of that name; undefined where there is none, and where there are several. */
export function field(fields: Fields, name: string): string | undefined {
  let found: string | undefined
  for (const [known, value] of fields) {
    if (!isNamed(known, name)) continue
    if (found !== undefined) return undefined
    found = value
  }
  return found
}

export function has(fields: Fields, name: string): boolean {
  return fields.some(([known]) => isNamed(known, name))
}

/** Every line of that name, in order. */
export function lines(fields: Fields, name: string): string[] {
  const found: string[] = []
  for (const [known, value] of fields) if (isNamed(known, name)) found.push(value)
  return found
}

/**
 * The members of a field that is a list of tokens, in lower case; several lines are one list (RFC 9110, 5.6.1). Not for
 * fields whose members may be quoted.
 */
export function tokens(fields: Fields, name: string): string[] {
  const found: string[] = []
  for (const line of lines(fields, name))
    for (const member of line.split(',')) {
      const token = member.trim()
      if (token !== '') found.push(token.toLowerCase())
    }
  return found
}

/** `names` in lower case. The very same list where nothing was to be taken away. */
export function without(fields: Fields, names: ReadonlySet<string>): Fields {
  return fields.some(([name]) => names.has(name.toLowerCase()))
    ? fields.filter(([name]) => !names.has(name.toLowerCase()))
    : fields
}

/** The media type without its parameters, in lower case: `application/json`. */
export function mediaType(fields: Fields): string | undefined {
  return field(fields, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase()
}

/** What concerns one connection and no other (RFC 9110, 7.6.1; Keep-Alive and the two Proxy ones by custom). */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** Without what concerns one connection only, and what Connection names as such. `more`: further names, in lower case. */
export function endToEnd(fields: Fields, more: ReadonlySet<string> = none): Fields {
  const named = tokens(fields, 'connection').filter((token) => token !== 'close' && token !== 'keep-alive')
  const gone = named.length === 0 ? undefined : new Set(named)
  return fields.filter(([name]) => {
    const lower = name.toLowerCase()
    return !hopByHop.has(lower) && !more.has(lower) && gone?.has(lower) !== true
  })
}

const none: ReadonlySet<string> = new Set()

function isNamed(known: string, name: string): boolean {
  return known.length === name.length && (known === name || known.toLowerCase() === name)
}
