/**
 * DataRow frames under a plan: masked fields are replaced, everything else is copied in runs; a row in which nothing
 * changes is handed back as it came. What cannot be understood comes out with every value NULL.
 */
import type { Masks } from '../../../checkpoint.ts'
import { frame, int16 } from '../wire.ts'
import type { Codec } from './codec.ts'
import { bytea, int8, numeric } from './types.ts'
import { detect, type ValuePlan, veil } from './values.ts'

export interface RowMasking {
  readonly columns: readonly ValuePlan[]
  readonly masks: Masks
  readonly codec: Codec
}

const header = 7

/** Masks rows one after the other; the very same frame is returned where nothing in it changes. */
export function createRowMasker({ columns, masks, codec }: RowMasking): (bytes: Buffer) => Buffer {
  const count = columns.length
  const hiding = columns.map(isHiding)
  const constants = columns.map((plan) => constantOf(plan, masks, codec))
  // Made once: rows come by the million.
  const fields = new Int32Array(count * 2)
  const instead: (Buffer | null | undefined)[] = columns.map(() => undefined)

  return (bytes) => {
    if (!readFields(bytes, count, fields)) return withheldRow(count)
    const suspect = masks.hasDetectors
    const anywhere = suspect && masks.suspects(bytes, header, bytes.length)
    let changed = false
    let size = bytes.length
    for (let index = 0; index < count; index++) {
      const plan = columns[index] as ValuePlan
      const start = fields[index * 2] as number
      const length = fields[index * 2 + 1] as number
      instead[index] = undefined
      if (length < 0) continue
      let shown: Buffer | null | undefined
      if (plan.style !== undefined) {
        shown = constants[index]
        if (shown === undefined) shown = veil(plan, plan.style, bytes.subarray(start, start + length), masks, codec)
      }
      // In text form what detectors look for shows in the row's bytes; numbers in binary and hexadecimal bytes do not.
      else if (suspect && (anywhere || hiding[index]))
        shown = detect(plan, bytes.subarray(start, start + length), masks, codec)
      if (shown === undefined) continue
      instead[index] = shown
      changed = true
      size += (shown?.length ?? 0) - length
    }
    return changed ? rebuild(bytes, fields, instead, size) : bytes
  }
}

/** Copies what stays in as few pieces as there are. */
function rebuild(
  bytes: Buffer,
  fields: Int32Array,
  instead: readonly (Buffer | null | undefined)[],
  size: number,
): Buffer {
  const masked = Buffer.allocUnsafe(size)
  let copied = 0
  let at = 0
  for (let index = 0; index < instead.length; index++) {
    const shown = instead[index]
    if (shown === undefined) continue
    const start = fields[index * 2] as number
    at += bytes.copy(masked, at, copied, start - 4)
    at = masked.writeInt32BE(shown?.length ?? -1, at)
    if (shown !== null) at += shown.copy(masked, at)
    copied = start + (fields[index * 2 + 1] as number)
  }
  bytes.copy(masked, at, copied)
  masked.writeInt32BE(size - 1, 1)
  return masked
}

/** What stands in the place of every value of a column, where that does not depend on the value. */
function constantOf(plan: ValuePlan, masks: Masks, codec: Codec): Buffer | null | undefined {
  if (plan.style === undefined || (plan.style !== 'null' && plan.style !== 'redact' && plan.carrier !== 'null'))
    return undefined
  return veil(plan, plan.style, nothing, masks, codec)
}

const nothing = Buffer.alloc(0)

function isHiding({ type, binary }: ValuePlan): boolean {
  return binary ? type === int8 || type === numeric : type === bytea
}

/** Start and length (-1: NULL) of each value, in pairs; undefined: the row does not have the form it should have. */
export function fieldsOf(bytes: Buffer, count: number): Int32Array | undefined {
  const fields = new Int32Array(count * 2)
  return readFields(bytes, count, fields) ? fields : undefined
}

function readFields(bytes: Buffer, count: number, fields: Int32Array): boolean {
  if (bytes.length < header || bytes.readUInt16BE(5) !== count) return false
  let at = header
  for (let index = 0; index < count; index++) {
    if (at + 4 > bytes.length) return false
    const length = bytes.readInt32BE(at)
    at += 4
    fields[index * 2] = at
    fields[index * 2 + 1] = length
    if (length < -1 || at + length > bytes.length) return false
    if (length > 0) at += length
  }
  return at === bytes.length
}

/** Every value NULL. */
export function withheldRow(count: number): Buffer {
  return frame('D', int16(count), Buffer.alloc(count * 4, 0xff))
}
