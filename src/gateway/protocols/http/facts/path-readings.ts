/**
 * Every reading that a server, or a proxy before it, may give a path. Servers differ in what they decode, fold and cut off,
 * and in which order, so each of these steps is tried on each reading until nothing new comes out. Rules that restrict apply
 * if any reading fits, rules that allow have to cover them all (docs/decisions/http-paths.md). Pure.
 */
import { percentDecoded } from '../../../../base/urlencoded.ts'

export type PathReadings =
  /** The first is the path as it came. */
  | { readonly readings: readonly [string, ...string[]]; readonly doubt: undefined }
  /** Why nobody can say what it names: then there is no use in naming anything. */
  | { readonly readings: readonly [string]; readonly doubt: string }

/** More than any honest path has; a path that has more was made to have them. */
const mostReadings = 64
const longestPath = 8192

/** Letters, digits and signs that stand for themselves everywhere; no empty segment, none that begins or ends with a dot. */
const plain = /^(?:\/[\w~!$&'()*+,=:@-]+(?:\.+[\w~!$&'()*+,=:@-]+)*)+$/

/** Of a path in origin-form, without its query. */
export function readingsOf(path: string): PathReadings {
  if (path === '/' || plain.test(path)) return { readings: [path], doubt: undefined }
  if (path.length > longestPath) return { readings: [path], doubt: 'its path is too long' }

  const found = new Map<string, number>([[path, 0]])
  // A Map goes on to what is put into it meanwhile.
  for (const [reading, decoded] of found) {
    const doubt = doubtOf(reading, decoded)
    if (doubt !== undefined) return { readings: [path], doubt }
    for (const step of steps) {
      const next = step(reading)
      if (next === reading) continue
      const depth = step === decode || step === decodeUnicode ? decoded + 1 : decoded
      // What was reached by another way with less decoding may be decoded once more from here.
      if ((found.get(next) ?? Number.POSITIVE_INFINITY) <= depth) continue
      found.delete(next)
      found.set(next, depth)
      if (found.size > mostReadings) return { readings: [path], doubt: 'its path can be read in too many ways' }
    }
  }
  found.delete(path)
  return { readings: [path, ...found.keys()], doubt: undefined }
}

function doubtOf(reading: string, decoded: number): string | undefined {
  // NUL ends a path for some; line ends begin another line for others; no honest path has any of them.
  if (/[\x00-\x1f\x7f]/.test(reading)) return 'its path has a control character in it'
  if (overlong.test(reading)) return 'its path hides characters in bytes that are not UTF-8'
  if (decoded === mostDecoding && /%[0-9a-f]{2}/i.test(reading)) return 'its path is encoded more than twice'
  return undefined
}

const mostDecoding = 2
/** Encodings of ASCII in more bytes than it needs: lenient decoders make `/` and `.` of them. */
const overlong =
  /%c[01]|%e0%[89]|%f0%8|\xc0[\x80-\xbf]|\xc1[\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]/i

const decode = (path: string) => percentDecoded(path)

/** `%u002f`: not of any standard, and understood by IIS. */
const decodeUnicode = (path: string) =>
  path.replace(/%u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

const steps: readonly ((path: string) => string)[] = [
  decode,
  decodeUnicode,
  withoutDots,
  (path) => path.replace(/\/{2,}/g, '/'),
  (path) => path.replaceAll('\\', '/'),
  // Matrix parameters, `;jsessionid=…`.
  (path) => path.replace(/;[^/]*/g, ''),
  // A proxy that decodes, and sends on what it decoded, makes a query of `%3f` and a fragment of `%23`.
  (path) => path.replace(/[?#].*$/s, ''),
  // Windows does not know dots and blanks at the end of a name; others trim what counts as white space somewhere.
  (path) => path.replace(/(?<=[^/.\s\x85])[.\s\x85]+(?=\/|$)/g, ''),
  (path) => path.replace(/(?<=\/)[\s\x85]+/g, ''),
  withoutLastSlash,
  // Full-width and other forms of `/`, `.` and letters.
  (path) => (/[^\x00-\x7f]/.test(path) ? path.normalize('NFKC') : path),
]

/** RFC 3986, 5.2.4, with dots that are encoded (WHATWG URL counts those too). */
function withoutDots(path: string): string {
  if (!/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) return path
  const segments = path.split('/').slice(1)
  const kept: string[] = []
  for (const [at, segment] of segments.entries()) {
    const dots = segment.replace(/%2e/gi, '.')
    const isLast = at === segments.length - 1
    if (dots === '.' || dots === '..') {
      if (dots === '..') kept.pop()
      if (isLast) kept.push('')
    } else kept.push(segment)
  }
  return `/${kept.join('/')}`
}

function withoutLastSlash(path: string): string {
  let end = path.length
  while (end > 1 && path.charAt(end - 1) === '/') end--
  return path.slice(0, end)
}
