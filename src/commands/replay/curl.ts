/** A recorded request as a command line of curl, against a local port. Pure: nothing in it can make a shell or curl do more. */
import { fieldOf, type RequestText } from '../../contract/request-text.ts'

export interface CurlLine {
  readonly line: string
  /** What is missing in it, or different, one sentence each. */
  readonly doubts: readonly string[]
}

export function curlLine(request: RequestText, port: number): CurlLine {
  const { method, target, fields, body, bodyIsTold } = request
  const doubts: string[] = []
  // Braces and brackets in a URL are no patterns, and dots in it no steps.
  const words = ['curl', '--globoff', '--path-as-is']
  if (method === 'HEAD') words.push('--head')
  else if (method !== (body === undefined || bodyIsTold ? 'GET' : 'POST')) words.push('--request', method)
  for (const [name, value] of fields) {
    // A name that is none would be read as a file's, or as an option's.
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) continue
    words.push('--header', value === '' ? `${name};` : `${name}: ${value}`)
  }
  if (bodyIsTold) doubts.push(`its body was not written down: ${body ?? ''}`)
  else if (body !== undefined) {
    // curl would call it a form.
    if (fieldOf(request, 'content-type') === undefined) words.push('--header', 'Content-Type:')
    if (/^multipart\//i.test(fieldOf(request, 'content-type') ?? ''))
      doubts.push('its body is multipart, of which only what people read was written down')
    words.push('--data-raw', body)
  }
  words.push(`http://127.0.0.1:${port}${target.startsWith('/') ? target : `/${target}`}`)
  if ([target, body ?? '', ...fields.map(([, value]) => value)].some((text) => text.includes('•••')))
    doubts.push('what was hidden when it was written down (•••) is not in it')
  return { line: words.map(wordOf).join(' '), doubts }
}

/** For bash and zsh; what nobody could see, or a terminal would obey, is written in escapes. */
function wordOf(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  if (!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u.test(word.replaceAll('\n', '')))
    return `'${word.replaceAll("'", `'\\''`)}'`
  const escaped = word.replace(/[\\'\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu, (sign) =>
    sign === '\\' || sign === "'" ? `\\${sign}` : bytesOf(sign),
  )
  return `$'${escaped}'`
}

function bytesOf(sign: string): string {
  return [...Buffer.from(sign)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}
