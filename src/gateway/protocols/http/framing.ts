/** Where the body of an answer ends, for this client (RFC 9112, 6.3), and the head that says so. Pure. */
import { STATUS_CODES } from 'node:http'
import type { AnswerHead, Fields } from './exchange.ts'
import { field } from './headers.ts'

/** `close`: where the connection ends, for HTTP/1.0. */
export type Framing = 'none' | 'chunked' | 'close' | { readonly bytes: number }

/** What an answer has to know of its request. */
export interface Asked {
  readonly method: string
  readonly version: '1.0' | '1.1'
}

export function framingOf(asked: Asked, answer: AnswerHead): Framing {
  if (isBodiless(asked.method, answer.status)) return 'none'
  const length = field(answer.fields, 'content-length')
  if (length !== undefined && /^\d{1,15}$/.test(length)) return { bytes: Number(length) }
  return asked.version === '1.1' ? 'chunked' : 'close'
}

function isBodiless(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304
}

/** Status line and fields, with the empty line. Content-Length of an answer without a body is what the body would have. */
export function headText(answer: AnswerHead, framing: Framing, asked: Asked, keepAlive: boolean): string {
  let text = statusLine(answer)
  for (const [name, value] of answer.fields) {
    if (framing !== 'none' && name.length === 14 && name.toLowerCase() === 'content-length') continue
    text += fieldText(name, value)
  }
  if (framing === 'chunked') text += 'Transfer-Encoding: chunked\r\n'
  else if (typeof framing === 'object') text += `Content-Length: ${framing.bytes}\r\n`
  if (!keepAlive || framing === 'close') text += 'Connection: close\r\n'
  else if (asked.version === '1.0') text += 'Connection: keep-alive\r\n'
  return `${text}\r\n`
}

/** Of an interim answer, or the last head of HTTP on a connection: no body comes behind it. */
export function bareHeadText(answer: AnswerHead): string {
  let text = statusLine(answer)
  for (const [name, value] of answer.fields) text += fieldText(name, value)
  return `${text}\r\n`
}

export function trailerText(trailers: Fields): string {
  let text = ''
  for (const [name, value] of trailers) if (!notInTrailers.has(name.toLowerCase())) text += fieldText(name, value)
  return text
}

/** What would change, behind the body, how the body was read or who may see it (RFC 9110, 6.5.1). */
const notInTrailers: ReadonlySet<string> = new Set([
  'content-length',
  'content-encoding',
  'content-type',
  'content-range',
  'transfer-encoding',
  'trailer',
  'connection',
  'host',
  'set-cookie',
  'authorization',
  'cache-control',
])

function statusLine({ status, phrase }: AnswerHead): string {
  return `HTTP/1.1 ${status} ${(phrase ?? STATUS_CODES[status] ?? '').replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ')}\r\n`
}

/** A value that could end its line (in one byte per character, too) is none: whoever sent it wanted to say more than a field. */
function fieldText(name: string, value: string): string {
  return /[^\t\x20-\x7e\x80-\xff]/.test(value) ? '' : `${name}: ${value}\r\n`
}
