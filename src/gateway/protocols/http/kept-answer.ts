/**
 * The answer as its command's outcome keeps it: the head without what would let somebody in, the beginning of the body as
 * text, both masked as records are. On the path of every request: until the end it only remembers bytes.
 */
import { isUtf8 } from 'node:buffer'
import { isSecretName } from '../../../base/secret-names.ts'
import type { Answer } from '../../../contract/record.ts'
import type { Masks } from '../../checkpoint.ts'
import { type AnswerHead, type Fields, type Keeper, WithheldError } from './exchange.ts'
import { lines } from './headers.ts'
import { isReadable, isUtf8Charset } from './masking/charset.ts'
import { beginningOf } from './masking/decoded-beginning.ts'
import { codingsOf } from './masking/decoding.ts'
import { unfinished } from './masking/masked-lines.ts'
import { type MediaType, mediaType } from './masking/media-type.ts'
import { joined, nothing, type Passage } from './masking/passage.ts'
import { namesSecrets, withSecretNames } from './masking/secret-names.ts'
import { shownValue } from './masking/shown-fields.ts'
import { areLookedAt, lookAt } from './results.ts'

type Body = NonNullable<Answer['body']>

/** What comes behind the limit is looked at too, so that nothing is kept of what is cut in two by it. */
const context = 1024

/** undefined: nothing is to be kept. `answer` is the head as it is shown, and `shownUnder` what has been masked in it. */
export function keeperUnder(
  recordMasks: Masks,
  limit: number,
  answer: AnswerHead,
  shownUnder?: Masks,
): Keeper | undefined {
  if (limit <= 0) return undefined
  // What was shown under the same masks hides what a record has to hide.
  const isHidden = shownUnder?.key === recordMasks.key
  const pieces: Uint8Array[] = []
  let length = 0
  let isMore = false

  return {
    take(bytes) {
      const room = limit + context - length
      if (bytes.length > room) isMore = true
      if (room <= 0) return
      const part = bytes.length > room ? bytes.subarray(0, room) : bytes
      pieces.push(part)
      length += part.length
    },
    answer(whole, firstByteMs) {
      const head = {
        status: answer.status,
        headers: keptFields(isHidden ? undefined : recordMasks, answer.fields),
        firstByteMs,
      }
      if (length === 0) return head
      const raw = { bytes: Buffer.concat(pieces, length), isWhole: whole && !isMore }
      const body = bodyOf({ masks: recordMasks, isHidden }, limit, answer.fields, raw)
      return body instanceof Promise ? body.then((body) => withBody(head, body)) : withBody(head, body)
    },
  }
}

function withBody(head: Omit<Answer, 'body'>, body: Body | undefined): Answer {
  return body === undefined ? head : { ...head, body }
}

interface Raw {
  readonly bytes: Buffer
  readonly isWhole: boolean
}

interface Hiding {
  readonly masks: Masks
  readonly isHidden: boolean
}

function bodyOf(hiding: Hiding, limit: number, fields: Fields, raw: Raw): Body | undefined | Promise<Body | undefined> {
  const codings = codingsOf(lines(fields, 'content-encoding').join(','))
  // Nobody could tell what a mask means in it.
  if (codings === undefined) return areLookedAt(hiding.masks) ? undefined : asBase64(raw, limit)
  const type = mediaType(lines(fields, 'content-type').at(-1))
  if (codings.length === 0) return keptBody(hiding, limit, type, raw)
  return beginningOf(raw.bytes, codings, limit + context).then(({ bytes, isMore, isGood }) =>
    keptBody(hiding, limit, type, { bytes, isWhole: raw.isWhole && isGood && !isMore }),
  )
}

function keptBody({ masks, isHidden }: Hiding, limit: number, type: MediaType, raw: Raw): Body | undefined {
  const isJson = type.form === 'json' || type.form === 'events'
  const hasSecrets = isJson && (!isUtf8Charset(type.charset) || namesSecrets(raw.bytes))
  const all = hasSecrets ? withSecretNames(masks) : masks
  if (!areLookedAt(all) || (isHidden && !hasSecrets)) return plainBody(raw, limit, type.charset)
  if (!isReadable(type.charset)) return undefined
  try {
    const shown = shownOf(lookAt(all, type), raw, isJson)
    return isUtf8(shown.bytes) ? asText(shown, limit) : asBase64(shown, limit)
  } catch (error) {
    if (error instanceof WithheldError) return undefined
    throw error
  }
}

function shownOf(passage: Passage, { bytes, isWhole }: Raw, isJson: boolean): Raw {
  if (isWhole) return { bytes: joined([passage.push(bytes), passage.end()]), isWhole }
  const shown = [passage.push(bytes)]
  // Whatever has come out of it was read whole.
  if (isJson) return { bytes: joined([...shown, passage.releases?.() ?? nothing]), isWhole }
  // Each look inside another may wait for something.
  for (let tries = 0; passage.waiting === true && tries < 4; tries++) shown.push(passage.flush?.() ?? nothing)
  return { bytes: untorn(joined(shown)), isWhole }
}

/** Without what stands so near to where it breaks off that it may be half of something that a detector would find whole. */
function untorn(bytes: Buffer): Buffer {
  let end = Math.max(0, bytes.length - context)
  while (end > 0 && !isBlank(bytes[end - 1])) end--
  return bytes.subarray(0, end)
}

function isBlank(byte: number | undefined): boolean {
  return byte !== undefined && (byte <= 0x20 || byte === 0x22 || byte === 0x2c)
}

function plainBody(raw: Raw, limit: number, charset: string | undefined): Body {
  const { bytes } = raw
  const whole = raw.isWhole ? bytes : bytes.subarray(0, bytes.length - unfinished(bytes))
  if (isUtf8(whole)) return asText(raw, limit)
  if (isUtf8Charset(charset) || !isReadable(charset)) return asBase64(raw, limit)
  return asText({ ...raw, bytes: Buffer.from(new TextDecoder(charset).decode(bytes)) }, limit)
}

function asText({ bytes, isWhole }: Raw, limit: number): Body {
  const cut = bytes.length > limit ? bytes.subarray(0, limit) : bytes
  const whole = isUtf8(cut) ? cut : cut.subarray(0, cut.length - unfinished(cut))
  return { text: whole.toString(), base64: false, truncated: !isWhole || bytes.length > limit }
}

function asBase64({ bytes, isWhole }: Raw, limit: number): Body {
  return {
    text: bytes.subarray(0, limit).toString('base64'),
    base64: true,
    truncated: !isWhole || bytes.length > limit,
  }
}

/** What lets somebody in, or says how. */
const credentials = new Set([
  'authorization',
  'authentication-info',
  'www-authenticate',
  'cookie',
  'set-cookie',
  'set-cookie2',
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-authentication-info',
  'authentication-control',
  'optional-www-authenticate',
])

function keptFields(masks: Masks | undefined, fields: Fields): [string, string][] {
  const kept: [string, string][] = []
  for (const [name, value] of fields) {
    if (credentials.has(name.toLowerCase()) || isSecretName(name)) continue
    kept.push([name, masks === undefined ? value : shownValue(masks, value)])
  }
  return kept
}
