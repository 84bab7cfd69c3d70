/**
 * DataRow frames under a plan: masked fields are replaced, everything else is copied in runs; a row in which nothing
 * changes is handed back as it came. What cannot be understood comes out with every value NULL.
 */
import type { Masks } from '../../../checkpoint.ts'
import { frame, int16, int32 } from '../wire.ts'
import type { Codec } from './codec.ts'
import { detect, type ValuePlan, veil } from './values.ts'

export interface RowMasking {
  readonly columns: readonly ValuePlan[]
  readonly masks: Masks
  readonly codec: Codec
}

const header = 7

/** `masks` may find nothing: the very same frame is returned then. */
export function maskRow(bytes: Buffer, { columns, masks, codec }: RowMasking): Buffer {
  const fields = fieldsOf(bytes, columns.length)
  if (fields === undefined) return withheldRow(columns.length)
  const suspect = masks.hasDetectors
  const anywhere = suspect && masks.suspects(bytes, header, bytes.length)
  let parts: Buffer[] | undefined
  let copied = 0
  for (let index = 0; index < columns.length; index++) {
    const plan = columns[index] as ValuePlan
    const start = fields[index * 2] as number
    const length = fields[index * 2 + 1] as number
    if (length < 0) continue
    let instead: Buffer | null | undefined
    if (plan.style !== undefined) instead = veil(plan, plan.style, bytes.subarray(start, start + length), masks, codec)
    // In text form what detectors look for shows in the row's bytes; numbers in binary and hexadecimal bytes do not.
    else if (suspect && (anywhere || isHiding(plan)))
      instead = detect(plan, bytes.subarray(start, start + length), masks, codec)
    if (instead === undefined) continue
    parts ??= []
    parts.push(bytes.subarray(copied, start - 4), instead === null ? nullLength : int32(instead.length))
    if (instead !== null) parts.push(instead)
    copied = start + length
  }
  if (parts === undefined) return bytes
  parts.push(bytes.subarray(copied))
  const masked = Buffer.concat(parts)
  masked.writeInt32BE(masked.length - 1, 1)
  return masked
}

const nullLength = int32(-1)

function isHiding({ type, binary }: ValuePlan): boolean {
  return binary ? type === 20 || type === 1700 : type === 17
}

/** Start and length (-1: NULL) of each value, in pairs; undefined: the row does not have the form it should have. */
export function fieldsOf(bytes: Buffer, count: number): Int32Array | undefined {
  if (bytes.length < header || bytes.readUInt16BE(5) !== count) return undefined
  const fields = new Int32Array(count * 2)
  let at = header
  for (let index = 0; index < count; index++) {
    if (at + 4 > bytes.length) return undefined
    const length = bytes.readInt32BE(at)
    at += 4
    fields[index * 2] = at
    fields[index * 2 + 1] = length
    if (length < -1 || at + length > bytes.length) return undefined
    if (length > 0) at += length
  }
  return at === bytes.length ? fields : undefined
}

/** Every value NULL. */
export function withheldRow(count: number): Buffer {
  return frame('D', int16(count), Buffer.alloc(count * 4, 0xff))
}
