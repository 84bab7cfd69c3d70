/** Header and trailer fields of an answer whose body is looked at. Pure. */
import type { Masks } from '../../../checkpoint.ts'
import type { Fields } from '../exchange.ts'
import { inUtf8 } from './media-type.ts'

/** They speak of bytes that are not what is shown; and a digest or a tag made of a body lets one try out what it hides. */
const ofOtherBytes = new Set([
  'content-length',
  'content-encoding',
  'content-md5',
  'content-digest',
  'repr-digest',
  'unencoded-digest',
  'digest',
  'etag',
  'accept-ranges',
  'content-range',
  'signature',
  'signature-input',
  'x-goog-hash',
  'x-ms-content-crc64',
  'x-ms-blob-content-md5',
])

/** What is hidden in a field is shown in its own few signs. */
const dotsInFields = '***'

export interface ShownFields {
  readonly fields: Fields
  readonly masked: boolean
}

export function shownFields(masks: Masks, fields: Fields, isUtf8: boolean): ShownFields {
  let masked = false
  const shown = fields.flatMap(([name, value]): Fields => {
    const lower = name.toLowerCase()
    if (ofOtherBytes.has(lower) || lower.startsWith('x-amz-checksum-')) return []
    if (lower === 'content-type' && !isUtf8) return [[name, inUtf8(value)]]
    const seen = shownValue(masks, value)
    masked ||= seen !== value
    return [[name, seen]]
  })
  return { fields: shown, masked }
}

export function shownTrailers(masks: Masks, trailers: Fields): Fields {
  return shownFields(masks, trailers, true).fields
}

export function shownValue(masks: Masks, value: string): string {
  if (!masks.hasDetectors) return value
  const seen = masks.detect(value)
  if (seen === value) return value
  return seen === null ? dotsInFields : seen.replace(/[^\x20-\x7e\x80-\xff\t]+/g, dotsInFields)
}
