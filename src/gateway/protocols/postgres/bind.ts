/**
 * Reads a Bind: names, and of every parameter the beginning that is recorded. One that came whole is read in place; of one
 * that streams by, a value of a gigabyte is counted, not kept. Pure: bytes in, a view out.
 */
import { hoopError } from '../../../contract/error-codes.ts'

export interface BoundValue {
  /** The value's first bytes; null is SQL NULL. */
  readonly beginning: Buffer | null
  readonly bytes: number
  readonly binary: boolean
}

export interface BindView {
  readonly portal: Buffer
  readonly statement: Buffer
  readonly values: readonly BoundValue[]
  /** Bytes of all values together. */
  readonly bytes: number
}

export interface BindReader {
  /** The next bytes of the frame, header included. Returns what the Bind says once its last byte was fed. */
  feed(bytes: Buffer): BindView | undefined
}

/** Of each value, this much is kept for the record; PostgreSQL's own log does the like (log_parameter_max_length). */
const keptOfValue = 16 * 1024
/** All values of one Bind together. */
const keptOfAll = 1024 * 1024

/** Of a Bind that came whole; its names and values are views into it. */
export function readBind(frame: Buffer): BindView {
  const portalEnd = frame.indexOf(0, 5)
  const statementEnd = portalEnd < 0 ? -1 : frame.indexOf(0, portalEnd + 1)
  if (statementEnd < 0) throw misshapen()
  const formatsAt = statementEnd + 1
  const formats = short(frame, formatsAt)
  const isBinary = (index: number) =>
    formats === 1 ? short(frame, formatsAt + 2) === 1 : index < formats && short(frame, formatsAt + 2 + 2 * index) === 1
  let at = formatsAt + 2 + 2 * formats
  const values: BoundValue[] = []
  let sum = 0
  let keptInAll = 0
  const count = short(frame, at)
  at += 2
  for (let index = 0; index < count; index += 1) {
    if (at + 4 > frame.length) throw misshapen()
    const length = frame.readInt32BE(at)
    at += 4
    if (length < -1 || length > frame.length) throw overlong(length)
    if (length === -1) values.push({ beginning: null, bytes: 0, binary: isBinary(index) })
    else {
      if (at + length > frame.length) throw misshapen()
      const kept = Math.min(length, keptOfValue, keptOfAll - keptInAll)
      values.push({ beginning: frame.subarray(at, at + kept), bytes: length, binary: isBinary(index) })
      at += length
      sum += length
      keptInAll += kept
    }
  }
  if (at + 2 + 2 * short(frame, at) !== frame.length) throw misshapen()
  return {
    portal: frame.subarray(5, portalEnd),
    statement: frame.subarray(portalEnd + 1, statementEnd),
    values,
    bytes: sum,
  }
}

function short(frame: Buffer, at: number): number {
  if (at + 2 > frame.length) throw misshapen()
  return frame.readUInt16BE(at)
}

export function createBindReader(total: number): BindReader {
  let seen = 0
  /** Small things (names, counts, lengths) are collected here until they are complete. */
  let pending: Buffer = Buffer.alloc(0)
  const values: BoundValue[] = []
  const formats: number[] = []
  let portal: Buffer | undefined
  let statement: Buffer | undefined
  let formatsLeft: number | undefined
  let valuesLeft: number | undefined
  let resultFormatsLeft: number | undefined
  let value: { parts: Buffer[]; kept: number; left: number; bytes: number } | undefined
  let keptInAll = 0
  let sum = 0

  function number(size: 2 | 4): number | undefined {
    if (pending.length < size) return undefined
    const read = size === 2 ? pending.readUInt16BE() : pending.readInt32BE()
    pending = pending.subarray(size)
    return read
  }
  function name(): Buffer | undefined {
    const end = pending.indexOf(0)
    if (end < 0) {
      if (pending.length > 64 * 1024) throw malformed('has a name of more than 64 KiB')
      return undefined
    }
    const read = Buffer.from(pending.subarray(0, end))
    pending = pending.subarray(end + 1)
    return read
  }
  function isBinary(index: number): boolean {
    return (formats.length === 1 ? formats[0] : formats[index]) === 1
  }

  /** One step; false when more bytes are needed, or everything is read. */
  function step(): boolean {
    if (portal === undefined) {
      portal = name()
      return portal !== undefined
    }
    if (statement === undefined) {
      statement = name()
      return statement !== undefined
    }
    if (formatsLeft === undefined) {
      formatsLeft = number(2)
      return formatsLeft !== undefined
    }
    if (formatsLeft > 0) {
      const format = number(2)
      if (format === undefined) return false
      formats.push(format)
      formatsLeft -= 1
      return true
    }
    if (valuesLeft === undefined) {
      valuesLeft = number(2)
      return valuesLeft !== undefined
    }
    if (value !== undefined) return stepValue(value)
    if (valuesLeft > 0) {
      const length = number(4)
      if (length === undefined) return false
      valuesLeft -= 1
      if (length < -1 || length > total) throw overlong(length)
      if (length === -1) values.push({ beginning: null, bytes: 0, binary: isBinary(values.length) })
      else value = { parts: [], kept: 0, left: length, bytes: length }
      return true
    }
    if (resultFormatsLeft === undefined) {
      resultFormatsLeft = number(2)
      return resultFormatsLeft !== undefined
    }
    if (resultFormatsLeft === 0) return false
    if (number(2) === undefined) return false
    resultFormatsLeft -= 1
    return true
  }

  function stepValue(current: NonNullable<typeof value>): boolean {
    const part = pending.subarray(0, Math.min(current.left, pending.length))
    const keep = Math.min(part.length, keptOfValue - current.kept, keptOfAll - keptInAll)
    if (keep > 0) current.parts.push(Buffer.from(part.subarray(0, keep)))
    current.kept += Math.max(keep, 0)
    keptInAll += Math.max(keep, 0)
    current.left -= part.length
    pending = pending.subarray(part.length)
    if (current.left > 0) return false
    sum += current.bytes
    values.push({ beginning: Buffer.concat(current.parts), bytes: current.bytes, binary: isBinary(values.length) })
    value = undefined
    return true
  }

  return {
    feed(bytes) {
      const body = bytes.subarray(Math.max(0, 5 - seen))
      seen += bytes.length
      pending = pending.length === 0 ? body : Buffer.concat([pending, body])
      while (step());
      if (seen < total) return undefined
      if (portal === undefined || statement === undefined || resultFormatsLeft !== 0 || pending.length > 0)
        throw misshapen()
      return { portal, statement, values, bytes: sum }
    },
  }
}

function overlong(length: number): Error {
  return malformed(`has a value that claims to be ${length} bytes long`)
}

function misshapen(): Error {
  return malformed('does not have the form that its type demands')
}

function malformed(what: string): Error {
  return hoopError('protocol-error', `a Bind message ${what}`)
}
