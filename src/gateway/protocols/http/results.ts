/**
 * What of an answer may be shown, decided by its head: which answers are looked at, how, and what their heads may still say.
 * Fail closed: an answer that masks could mean something in, and that cannot be looked into, is withheld.
 */
import type { Transform } from 'node:stream'
import type { Masks } from '../../checkpoint.ts'
import type { AnswerHead, Fields, RequestHead, Results } from './exchange.ts'
import { lines } from './headers.ts'
import { createJsonLook, createMediaLook, createTextLook, createUnknownLook } from './masking/by-beginning.ts'
import { inCharset, isReadable, isUtf8Charset } from './masking/charset.ts'
import { codingsOf, decoderFor, narrowed } from './masking/decoding.ts'
import { createMaskedEvents } from './masking/masked-events.ts'
import { type MediaType, mediaType } from './masking/media-type.ts'
import type { Passage } from './masking/passage.ts'
import { passageStream } from './masking/passage-stream.ts'
import { shownFields, shownTrailers } from './masking/shown-fields.ts'

/** Answers of this person on this target are looked at. Masks of columns mean nothing here. */
export function areLookedAt(masks: Masks): boolean {
  return masks.hasFields || masks.hasDetectors
}

export function resultsUnder(masks: Masks, method: string, answer: AnswerHead): Results {
  if (!areLookedAt(masks)) return { kind: 'untouched' }
  const { status, fields } = answer
  if (status === 206) return withheld('it is a part of something, and a mask could be cut around with parts')
  const types = new Set(lines(fields, 'content-type'))
  if (types.size > 1) return withheld('it says more than once what it is, and not the same')
  const type = mediaType(types.values().next().value)
  const hasBody = method !== 'HEAD' && status >= 200 && status !== 204 && status !== 205 && status !== 304
  if (!hasBody) return through(masks, fields, type, [], undefined)
  if (type.form === 'parts') return withheld(`${type.name} consists of parts, which are not looked into`)
  if (type.form !== 'events' && !isReadable(type.charset)) return withheld(`nobody here reads ${type.charset}`)
  const encoding = lines(fields, 'content-encoding').join(',')
  const codings = codingsOf(encoding)
  if (codings === undefined) return withheld(`it is encoded as ${encoding}, which cannot be undone here`)
  const passage = lookAt(masks, type)
  return through(masks, fields, type, [...codings.map(decoderFor), passageStream(passage)], passage)
}

/** How a body of this type is looked at. */
export function lookAt(masks: Masks, { form, charset }: MediaType): Passage {
  switch (form) {
    case 'json':
      return inCharset(charset, createJsonLook(masks))
    case 'events':
      return createMaskedEvents(masks)
    case 'text':
      return inCharset(charset, createTextLook(masks))
    case 'media':
      return createMediaLook(masks)
    case 'other':
    case 'parts':
      return inCharset(charset, createUnknownLook(masks))
    default:
      return form satisfies never
  }
}

function through(
  masks: Masks,
  fields: Fields,
  { form, charset }: MediaType,
  streams: readonly Transform[],
  passage: Passage | undefined,
): Results {
  const shown = shownFields(masks, fields, isUtf8Charset(charset))
  return {
    kind: 'through',
    fields: shown.fields,
    through: streams,
    headWaits: streams.length > 0 && form !== 'events',
    trailers: (trailers) => shownTrailers(masks, trailers),
    masked: () => shown.masked || passage?.masked === true,
  }
}

/**
 * What a request may not ask for where its answer is looked at: parts of it, codings that nobody here undoes, differences to
 * what was shown before. Questions about tags are answered by what they hide.
 */
export function outwardUnder(masks: Masks, head: RequestHead): RequestHead {
  if (!areLookedAt(masks)) return head
  const isReading = head.method === 'GET' || head.method === 'HEAD'
  const fields = head.fields.flatMap(([name, value]): Fields => {
    const lower = name.toLowerCase()
    if (lower === 'accept-encoding') return [[name, narrowed(value)]]
    if (notAsked.has(lower) || (isReading && tagQuestions.has(lower))) return []
    return [[name, value]]
  })
  // A target may take silence for leave to send any coding (RFC 9110, 12.5.3).
  const saysCodings = fields.some(([name]) => name.toLowerCase() === 'accept-encoding')
  return { ...head, fields: saysCodings ? fields : [...fields, ['Accept-Encoding', 'identity']] }
}

const notAsked = new Set(['range', 'if-range', 'a-im', 'im', 'available-dictionary', 'dictionary-id', 'want-digest'])
const tagQuestions = new Set(['if-match', 'if-none-match'])

function withheld(reason: string): Results {
  return { kind: 'withheld', reason }
}
