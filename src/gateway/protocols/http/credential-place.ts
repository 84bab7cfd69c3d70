/** Where a credential stands in a request. What the client has put there, in whatever spelling, makes room for it. Pure. */
import type { Fields, RequestHead } from './exchange.ts'

/** Servers behind CGI and its heirs take `X_Api_Key` for `X-Api-Key`. */
export function withField(head: RequestHead, name: string, value: string): RequestHead {
  return { ...head, fields: [...without(head.fields, name), [name, value]] }
}

function without(fields: Fields, name: string): Fields {
  const wanted = spelling(name)
  return fields.some(([given]) => spelling(given) === wanted)
    ? fields.filter(([given]) => spelling(given) !== wanted)
    : fields
}

function spelling(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}

export function withParameter(head: RequestHead, name: string, value: string): RequestHead {
  const at = head.target.indexOf('?')
  const path = at === -1 ? head.target : head.target.slice(0, at)
  const query = at === -1 ? '' : withoutParameter(head.target.slice(at + 1), name)
  const own = `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
  return { ...head, target: `${path}?${query === '' ? '' : `${query}&`}${own}` }
}

/** Everything else stays to the letter. */
function withoutParameter(query: string, name: string): string {
  const wanted = parameterName(name)
  const isOther = (part: string) => parameterName(nameOf(part)) !== wanted
  return query
    .split('&')
    .flatMap((piece) => {
      // Some servers take a semicolon for a separator, as HTML 4 recommended.
      const parts = piece.split(';')
      const others = parts.filter(isOther)
      return others.length === 0 ? [] : [others.join(';')]
    })
    .join('&')
}

function nameOf(part: string): string {
  const equals = part.indexOf('=')
  return decoded((equals === -1 ? part : part.slice(0, equals)).replaceAll('+', ' '))
}

/** Not all of it need be UTF-8: names are compared, not shown. */
function decoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** `Key`, ` key`, `key[]`, `key[0]` and `k.y` for `k_y` are one parameter to one server or another. */
function parameterName(name: string): string {
  return name.toLowerCase().trim().replace(/\[.*$/s, '').replace(/[ .]/g, '_')
}
