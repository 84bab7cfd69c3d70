/**
 * One head of a request → what it asks (RFC 9112, 3 to 6), or Malformed where it leaves a doubt. Framing is decided here: a
 * body is counted or chunked, never both, and never what only some servers would believe. Pure.
 */
import type { Fields, RequestHead } from './exchange.ts'
import { endToEnd, has, lines, tokens } from './headers.ts'
import { Malformed } from './malformed.ts'

/** What a head says to this side of the gateway, beside the request that it makes. */
export interface ReadHead {
  readonly request: RequestHead
  /** As sent; undefined: an HTTP/1.0 client that names none. */
  readonly host: string | undefined
  readonly version: '1.0' | '1.1'
  /** It may be followed by another request. */
  readonly keepAlive: boolean
  /** The client waits for a word before it sends the body. */
  readonly expectsContinue: boolean
  /** The client takes trailers behind the answer. */
  readonly takesTrailers: boolean
}

const requestLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP\/([0-9])\.([0-9])$/
const fieldLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/
const digits = /^[0-9]{1,15}$/
/** Fields that are said anew towards the target, or answered here. */
const saidAnew: ReadonlySet<string> = new Set(['host', 'content-length', 'expect'])

/** `text`: every line but the empty one, without the last CR LF. */
export function readHead(text: string): ReadHead {
  const [first = '', ...others] = text.split('\r\n')
  const { method, target, version } = readRequestLine(first)
  const fields = others.map(readFieldLine)
  const connection = tokens(fields, 'connection')
  const host = readHost(fields, version)
  const body = readFraming(fields, version)
  const upgrade = version === '1.1' && connection.includes('upgrade') ? readUpgrade(fields, body) : undefined
  const takesTrailers = version === '1.1' && tokens(fields, 'te').includes('trailers')
  const forwarded = endToEnd(fields, saidAnew)
  return {
    request: {
      method,
      target: originForm(target, method, host),
      fields: takesTrailers ? [...forwarded, ['TE', 'trailers']] : forwarded,
      body,
      upgrade,
    },
    host,
    version,
    keepAlive: version === '1.1' ? !connection.includes('close') : connection.includes('keep-alive'),
    expectsContinue: readExpect(fields, version),
    takesTrailers,
  }
}

/** Throws for white space before the colon, a line that goes on from the one before, control characters. */
export function readFieldLine(line: string): Fields[number] {
  const [, name, value] = fieldLine.exec(line) ?? []
  if (name === undefined || value === undefined) throw new Malformed(400, 'a field line of the request is malformed')
  return [name, trimmed(value)]
}

function readRequestLine(line: string): { method: string; target: string; version: '1.0' | '1.1' } {
  const [, method, target, major, minor] = requestLine.exec(line) ?? []
  if (method === undefined || target === undefined) throw new Malformed(400, 'the request line is malformed')
  if (major !== '1' || (minor !== '0' && minor !== '1'))
    throw new Malformed(505, 'only HTTP/1.1 and 1.0 are spoken here')
  // Both would reach around the judgement: one opens a tunnel, the other repeats the request with its credential.
  if (/^(?:connect|trace)$/i.test(method)) throw new Malformed(405, `${method.toUpperCase()} does not pass the gateway`)
  return { method, target, version: minor === '1' ? '1.1' : '1.0' }
}

/** A target beginning with a slash. What names a host has to name the one of the Host field (RFC 9112, 3.2.2). */
function originForm(target: string, method: string, host: string | undefined): string {
  if (/[#\\]/.test(target)) throw new Malformed(400, 'the target of the request has a # or a backslash in it')
  if (target.startsWith('/')) return target
  if (target === '*' && method === 'OPTIONS')
    throw new Malformed(400, 'OPTIONS * asks about a whole server, which is not reached through here: name a path')
  const [, authority, path] = /^http:\/\/([^/?]*)(.*)$/i.exec(target) ?? []
  if (authority === undefined || path === undefined)
    throw new Malformed(400, 'the target of the request is neither a path nor an http URL')
  if (host === undefined || authority.toLowerCase() !== host.toLowerCase())
    throw new Malformed(400, 'the target of the request names another host than its Host field')
  return path.startsWith('/') ? path : `/${path}`
}

function readHost(fields: Fields, version: '1.0' | '1.1'): string | undefined {
  const hosts = lines(fields, 'host')
  if (hosts.length > 1) throw new Malformed(400, 'the request has more than one Host')
  if (hosts.length === 0 && version === '1.1') throw new Malformed(400, 'the request has no Host')
  return hosts[0]
}

function readFraming(fields: Fields, version: '1.0' | '1.1'): RequestHead['body'] {
  const codings = lines(fields, 'transfer-encoding')
  const lengths = lines(fields, 'content-length')
  if (codings.length > 0) {
    if (lengths.length > 0) throw new Malformed(400, 'the request has both Content-Length and Transfer-Encoding')
    if (version === '1.0') throw new Malformed(400, 'HTTP/1.0 has no Transfer-Encoding')
    const [coding] = codings
    if (codings.length > 1 || coding === undefined)
      throw new Malformed(400, 'the request has several Transfer-Encodings')
    if (/^(?:x-)?(?:gzip|compress|deflate)[ \t]*,[ \t]*chunked$/i.test(coding))
      throw new Malformed(501, 'only the transfer coding "chunked" is read here')
    if (coding.toLowerCase() !== 'chunked')
      throw new Malformed(400, 'Transfer-Encoding is something other than chunked')
    return 'chunked'
  }
  if (lengths.length === 0) return 'none'
  const [length = ''] = lengths
  if (lengths.length > 1 || !digits.test(length)) throw new Malformed(400, 'Content-Length is not one number')
  return { bytes: Number(length) }
}

function readUpgrade(fields: Fields, body: RequestHead['body']): string | undefined {
  const [protocol, ...others] = tokens(fields, 'upgrade')
  // HTTP/2 in the clear would take all that follows away from the judgement; a server may ignore the wish, and so do we.
  if (protocol === undefined || protocol === 'h2c') return undefined
  if (others.length > 0) throw new Malformed(400, 'the request wants to go on with several protocols')
  // Where its body ends and the other protocol begins has been read differently by many.
  if (body !== 'none' && (body === 'chunked' || body.bytes > 0))
    throw new Malformed(400, 'a request that goes on with another protocol has no body')
  return protocol
}

function readExpect(fields: Fields, version: '1.0' | '1.1'): boolean {
  if (!has(fields, 'expect')) return false
  if (tokens(fields, 'expect').some((expectation) => expectation !== '100-continue'))
    throw new Malformed(417, 'only 100-continue may be expected')
  // An HTTP/1.0 client would not understand the interim answer (RFC 9110, 10.1.1).
  return version === '1.1'
}

function trimmed(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isBlank(value.charCodeAt(start))) start += 1
  while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1
  return start === 0 && end === value.length ? value : value.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}
