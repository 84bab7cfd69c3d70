/** What the body of a request says: named values, and how it is written down. Pure. */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { readParts } from '../../../../base/multipart.ts'
import { pairsOf } from '../../../../base/urlencoded.ts'
import { type Field, unknownName } from '../../../../contract/command.ts'
import type { Request } from '../exchange.ts'
import { isLikeJson, jsonFields, mostFields } from './json-fields.ts'
import type { Media } from './media.ts'

export interface BodyReading {
  readonly fields: readonly Field[]
  /** As far as it is text; undefined: there is no body. */
  readonly text: string | undefined
  /** Why it is not understood. */
  readonly doubt: string | undefined
}

/** Values that nobody has looked at may be what a rule is about. */
const unread: readonly Field[] = [{ at: `body:${unknownName}`, value: unknownName }]

export function readBody({ head, body, unread: reason }: Request, media: Media): BodyReading {
  const isEmpty = head.body === 'none' || (typeof head.body === 'object' && head.body.bytes === 0) || body?.length === 0
  if (isEmpty) return { fields: [], text: undefined, doubt: undefined }
  if (body === undefined) return unreadBody(head, media, reason)
  switch (media.kind) {
    case 'json':
    case 'lines':
    case 'records':
      return readJson(body, media)
    case 'form':
      return readForm(body, media)
    case 'parts':
      return readMultipart(body, media)
    case 'text':
    case 'none':
      return readText(body, media)
    case 'doubt':
      return { fields: unread, text: inWords(body, media), doubt: 'it says in two ways what its body is' }
    case 'other':
      return { fields: unread, text: inWords(body, media), doubt: undefined }
    default:
      return media.kind satisfies never
  }
}

/**
 * What needs to be known and could not be had is not understood. Text and parts that are merely longer than what is judged
 * go on: that their values are not known is what rules are told.
 */
function unreadBody(head: Request['head'], { kind, name }: Media, reason: string | undefined): BodyReading {
  const size = typeof head.body === 'object' ? `${head.body.bytes} bytes` : 'a stream'
  const isEncoded = head.fields.some(([name]) => name.toLowerCase() === 'content-encoding')
  const mayBeLong = kind === 'other' || ((kind === 'text' || kind === 'none' || kind === 'parts') && !isEncoded)
  return {
    fields: unread,
    text: `(${size}${name === '' ? '' : ` of ${name}`}${reason === undefined ? '' : `: ${reason}`})`,
    doubt: mayBeLong ? undefined : (reason ?? 'its body was not read'),
  }
}

function readJson(body: Uint8Array, media: Media): BodyReading {
  if (!media.isUtf8) return { fields: unread, text: inWords(body, media), doubt: 'its JSON is said not to be UTF-8' }
  const form = media.kind === 'lines' || media.kind === 'records' ? media.kind : 'one'
  const read = jsonFields(body, form)
  const text = textOf(body) ?? inWords(body, media)
  if ('doubt' in read) return { fields: unread, text, doubt: read.doubt }
  return { fields: read.fields, text, doubt: undefined }
}

function readForm(body: Uint8Array, media: Media): BodyReading {
  const text = textOf(body)
  if (text === undefined || !media.isUtf8)
    return { fields: unread, text: text ?? inWords(body, media), doubt: 'its form is not UTF-8' }
  const pairs = pairsOf(text)
  // Some servers take `;` for `&`.
  const others = text.includes(';') ? pairsOf(text, '&;') : []
  if (pairs.length + others.length > mostFields) return { fields: unread, text, doubt: 'its form has too many values' }
  const fields = [...pairs, ...others].map(({ name, value }) => ({ at: `body:/${name}`, value }))
  const hidden = hiddenJson(body)
  return { fields: [...fields, ...hidden.fields], text, doubt: hidden.doubt }
}

function readMultipart(body: Uint8Array, media: Media): BodyReading {
  const read = readParts(body, media.contentType)
  if ('doubt' in read) return { fields: unread, text: inWords(body, media), doubt: read.doubt }
  const fields: Field[] = []
  const lines: string[] = []
  for (const { name, fileName, type, start, end } of read.parts) {
    const content = body.subarray(start, end)
    const text = fileName === undefined ? textOf(content) : undefined
    fields.push({ at: `body:/${name}`, value: text ?? fileName ?? unknownName })
    // A part may be JSON, or in another charset: a server may find more in it than its text.
    if (fileName === undefined && type !== undefined && !/^text\/plain(?:; *charset="?utf-8"?)?$/.test(type))
      fields.push({ at: `body:/${name}/${unknownName}`, value: unknownName })
    lines.push(
      '--part',
      `Content-Disposition: form-data; name="${name}"${fileName === undefined ? '' : `; filename="${fileName}"`}`,
      ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      '',
      text ?? inWords(content, { name: '' }),
    )
  }
  return { fields, text: lines.join('\n'), doubt: undefined }
}

function readText(body: Uint8Array, media: Media): BodyReading {
  const text = textOf(body)
  if (text === undefined || !media.isUtf8) return { fields: unread, text: inWords(body, media), doubt: undefined }
  const hidden = hiddenJson(body)
  // Text of no known form has no values that could be named, and a server may know some all the same.
  const others: readonly Field[] = hidden.fields.length > 0 ? [] : media.kind === 'none' ? formOf(text) : []
  return {
    fields: [...hidden.fields, ...others, ...(hidden.fields.length > 0 ? [] : unread)],
    text,
    doubt: hidden.doubt,
  }
}

function formOf(text: string): readonly Field[] {
  if (!/^[\x21-\x7e]+$/.test(text) || !text.includes('=')) return []
  return pairsOf(text, '&;')
    .slice(0, mostFields)
    .map(({ name, value }) => ({ at: `body:/${name}`, value }))
}

/** JSON that does not say so: many servers decode a body as JSON whatever its type is said to be. */
function hiddenJson(body: Uint8Array): Pick<BodyReading, 'fields' | 'doubt'> {
  if (!isLikeJson(body)) return { fields: [], doubt: undefined }
  const read = jsonFields(body, 'one')
  return 'doubt' in read ? { fields: unread, doubt: read.doubt } : { fields: read.fields, doubt: undefined }
}

/** undefined: it is no text. */
function textOf(body: Uint8Array): string | undefined {
  if (body.includes(0) || !isUtf8(body)) return undefined
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8')
}

/** Size, kind and digest: what was approved is what is sent. */
function inWords(body: Uint8Array, { name }: Pick<Media, 'name'>): string {
  const sha256 = createHash('sha256').update(body).digest('hex')
  return `(${body.length} bytes${name === '' ? '' : ` of ${name}`}, SHA-256 ${sha256})`
}
