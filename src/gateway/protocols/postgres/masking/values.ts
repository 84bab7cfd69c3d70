/** One value of a row, masked: by its column, or by what detectors find in it. */
import type { Masks, MaskStyle } from '../../../checkpoint.ts'
import { readParameters } from '../parameters.ts'
import type { Codec } from './codec.ts'
import { bytea, type Carrier, int8, isPlain, numeric } from './types.ts'

export interface ValuePlan {
  readonly type: number
  readonly binary: boolean
  readonly carrier: Carrier
  /** undefined: the column may be seen. */
  readonly style: MaskStyle | undefined
}

export const dots = '•••'

/** What has to be done with the values of a column, as far as it can be known before they come. */
export type Treatment =
  /** Nothing is looked for in it. */
  | { readonly kind: 'open' }
  /** The same for every value; null is SQL NULL. */
  | { readonly kind: 'constant'; readonly shown: Buffer | null }
  /** What Masks.hint leaves, with dots between; what that cannot tell is veiled. */
  | { readonly kind: 'hint'; readonly style: MaskStyle; readonly dots: Buffer }
  | { readonly kind: 'veil'; readonly style: MaskStyle }
  /** Text that shows what detectors look for, if there is any. */
  | { readonly kind: 'text' }
  /** Numbers that may be long enough for a card's. */
  | { readonly kind: 'number' }
  /** Hexadecimal digits of what may be text. */
  | { readonly kind: 'bytes' }

export function treatmentOf(plan: ValuePlan, masks: Masks, codec: Codec): Treatment {
  const { style, carrier, type, binary } = plan
  if (style !== undefined) {
    if (style === 'null' || style === 'redact' || carrier === 'null')
      return { kind: 'constant', shown: veil(plan, style, nothing, masks, codec) }
    if (style === 'partial' && carrier === 'text') return { kind: 'hint', style, dots: codec.encode(dots) }
    return { kind: 'veil', style }
  }
  if (!masks.hasDetectors || isPlain(type)) return { kind: 'open' }
  if (type === int8 || type === numeric) return { kind: 'number' }
  return type === bytea && !binary ? { kind: 'bytes' } : { kind: 'text' }
}

const nothing = Buffer.alloc(0)

/** A quick no for nearly all numbers. */
export function mayBeSecretNumber({ type, binary }: ValuePlan, bytes: Buffer, start: number, length: number): boolean {
  if (!binary) return length >= shortestNumber && length <= longestNumber
  // What `isSecretNumber` looks at more closely: int8 of 10^12 or more, numeric of 13 to 16 digits before the point.
  if (type === int8) return length !== 8 || bytes.readInt32BE(start) >= 232
  return length >= 8 && bytes.readInt16BE(start + 2) === 3
}

/** What stands in the place of a value of a masked column; null is SQL NULL. */
export function veil(plan: ValuePlan, style: MaskStyle, value: Buffer, masks: Masks, codec: Codec): Buffer | null {
  if (plan.carrier === 'null' || style === 'null') return null
  const given = plan.carrier === 'jsonb' && plan.binary ? value.subarray(1) : value
  // Without knowing the encoding, what a partial mask leaves might be half a character.
  const safe = style === 'partial' && codec.encode('•').length === 1 && !isAscii(given) ? 'redact' : style
  const masked = masks.mask(safe, codec.decode(given))
  return masked === null ? null : carry(plan, masked, codec)
}

function carry({ carrier, binary }: ValuePlan, text: string, codec: Codec): Buffer {
  if (carrier === 'text') return codec.encode(text)
  const json = codec.encode(JSON.stringify(text))
  return carrier === 'jsonb' && binary ? Buffer.concat([jsonbVersion, json]) : json
}

const jsonbVersion = Buffer.from([1])

function isAscii(bytes: Buffer): boolean {
  return bytes.every((byte) => byte < 0x80)
}

/** What stands in the place of a value in which detectors find something; undefined: it stays. */
export function detect(plan: ValuePlan, value: Buffer, masks: Masks, codec: Codec): Buffer | null | undefined {
  if (isPlain(plan.type)) return undefined
  if (plan.type === int8 || plan.type === numeric) return isSecretNumber(plan, value, masks) ? null : undefined
  if (plan.type === bytea && !plan.binary) return detectHexadecimal(value, masks)
  if (!masks.suspects(value, 0, value.length)) return undefined
  // Arrays, composites and the like: in their binary form only the whole of them can be taken away.
  if (plan.binary && plan.carrier === 'null') {
    const text = value.toString('latin1')
    return masks.detect(text) === text ? undefined : null
  }
  const jsonbBinary = plan.carrier === 'jsonb' && plan.binary
  const text = codec.decode(jsonbBinary ? value.subarray(1) : value)
  const shown = masks.detect(text)
  if (shown === text) return undefined
  if (shown === null) return null
  if (plan.carrier === 'json' || plan.carrier === 'jsonb') {
    const json = codec.encode(isJson(shown) ? shown : JSON.stringify(dots))
    return jsonbBinary ? Buffer.concat([jsonbVersion, json]) : json
  }
  return codec.encode(shown)
}

/** A masked number inside a document leaves no JSON behind; the whole document goes then. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

// Card numbers have 13 digits or more; longer ones than 16 are rare, and 19 digits are what identifiers have.
const fewestDigits = 1_000_000_000_000n
const shortestNumber = 13
const longestNumber = 20
const mostDigits = 10_000_000_000_000_000n

function isSecretNumber({ type, binary }: ValuePlan, value: Buffer, masks: Masks): boolean {
  if (!binary) {
    if (value.length < shortestNumber || value.length > longestNumber) return false
    const text = value.toString('latin1').replace(/\.0*$/, '')
    return /^\d{13,16}$/.test(text) && masks.detect(text) !== text
  }
  if (type === int8) {
    if (value.length !== 8) return true
    const number = value.readBigInt64BE()
    return number >= fewestDigits && number < mostDigits && masks.detect(String(number)) !== String(number)
  }
  // Four decimal digits a group: 13 to 16 digits are a weight of 3.
  if (value.length < 8 || value.readInt16BE(2) !== 3) return false
  const text = readValue({ type, binary }, value)?.replace(/\.0*$/, '') ?? ''
  return /^\d{13,16}$/.test(text) && masks.detect(text) !== text
}

const longestHexadecimal = 4 * 1024 * 1024

function detectHexadecimal(value: Buffer, masks: Masks): null | undefined {
  // The older form, `escape`, is nearly the text itself.
  const isHexadecimal = value[0] === 0x5c && value[1] === 0x78
  const bytes = isHexadecimal ? Buffer.from(value.toString('latin1', 2, longestHexadecimal), 'hex') : value
  if (!masks.suspects(bytes, 0, bytes.length)) return undefined
  const text = bytes.toString('latin1')
  return masks.detect(text) === text ? undefined : null
}

/** As a person reads it. */
export function readValue(plan: Pick<ValuePlan, 'type' | 'binary'>, value: Buffer): string | null {
  const [read] = readParameters([{ beginning: value, bytes: value.length, binary: plan.binary }], [plan.type])
  return read?.value ?? null
}
