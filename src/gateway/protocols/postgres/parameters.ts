/**
 * The values of a Bind as a person reads them: text as it is, the common binary types decoded by their OID, everything
 * else as hexadecimal. Pure.
 */
import type { Parameter } from '../../../contract/command.ts'
import type { BoundValue } from './bind.ts'

/** Built-in types have the same OID in every database (src/include/catalog/pg_type.dat). */
const typeNames: Readonly<Record<number, string>> = {
  16: 'bool',
  17: 'bytea',
  18: 'char',
  19: 'name',
  20: 'int8',
  21: 'int2',
  23: 'int4',
  25: 'text',
  26: 'oid',
  114: 'json',
  142: 'xml',
  700: 'float4',
  701: 'float8',
  1042: 'bpchar',
  1043: 'varchar',
  1082: 'date',
  1114: 'timestamp',
  1184: 'timestamptz',
  1700: 'numeric',
  2950: 'uuid',
  3802: 'jsonb',
}

/** Seconds from 1970 to 2000, where PostgreSQL's binary times begin. */
const epoch2000 = 946_684_800_000

export function readParameters(values: readonly BoundValue[], types: readonly number[]): Parameter[] {
  return values.map((value, index) => readParameter(value, types[index] ?? 0))
}

function readParameter({ beginning, bytes, binary }: BoundValue, oid: number): Parameter {
  const type = typeNames[oid]
  const described = type === undefined ? {} : { type }
  if (beginning === null) return { value: null, ...described }
  const cut = beginning.length < bytes
  const read = binary ? (cut ? undefined : decodeBinary(oid, beginning)) : readText(beginning)
  const value = read ?? (binary && isTextType(oid) ? beginning.toString('utf8') : `\\x${beginning.toString('hex')}`)
  return { value, ...described, ...(cut ? { bytes } : {}) }
}

function isTextType(oid: number): boolean {
  return [18, 19, 25, 114, 142, 1042, 1043].includes(oid)
}

function readText(bytes: Buffer): string {
  return bytes.toString('utf8')
}

function decodeBinary(oid: number, bytes: Buffer): string | undefined {
  switch (oid) {
    case 16:
      return bytes.length === 1 ? (bytes[0] === 0 ? 'f' : 't') : undefined
    case 18:
    case 19:
    case 25:
    case 114:
    case 142:
    case 1042:
    case 1043:
      return readText(bytes)
    case 3802:
      return bytes[0] === 1 ? readText(bytes.subarray(1)) : undefined
    case 20:
      return bytes.length === 8 ? String(bytes.readBigInt64BE()) : undefined
    case 21:
      return bytes.length === 2 ? String(bytes.readInt16BE()) : undefined
    case 23:
      return bytes.length === 4 ? String(bytes.readInt32BE()) : undefined
    case 26:
      return bytes.length === 4 ? String(bytes.readUInt32BE()) : undefined
    case 700:
      return bytes.length === 4 ? String(bytes.readFloatBE()) : undefined
    case 701:
      return bytes.length === 8 ? String(bytes.readDoubleBE()) : undefined
    case 1082:
      return bytes.length === 4 ? date(bytes.readInt32BE()) : undefined
    case 1114:
    case 1184:
      return bytes.length === 8 ? timestamp(bytes.readBigInt64BE(), oid === 1184) : undefined
    case 1700:
      return numeric(bytes)
    case 2950:
      return bytes.length === 16 ? uuid(bytes) : undefined
    default:
      return undefined
  }
}

function date(days: number): string | undefined {
  if (Math.abs(days) > 3_000_000) return undefined
  return new Date(epoch2000 + days * 86_400_000).toISOString().slice(0, 10)
}

function timestamp(microseconds: bigint, zoned: boolean): string | undefined {
  const milliseconds = Number(microseconds / 1000n) + epoch2000
  if (Math.abs(milliseconds) > 8e15) return undefined
  return new Date(milliseconds)
    .toISOString()
    .replace('T', ' ')
    .replace('Z', zoned ? '+00' : '')
}

function uuid(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Groups of four decimal digits, the weight of the first, a sign and how many digits are shown behind the point. */
function numeric(bytes: Buffer): string | undefined {
  if (bytes.length < 8) return undefined
  const groups = bytes.readUInt16BE(0)
  const weight = bytes.readInt16BE(2)
  const sign = bytes.readUInt16BE(4)
  const scale = bytes.readUInt16BE(6)
  if (bytes.length !== 8 + groups * 2 || Math.abs(weight) > 1000 || scale > 16_383) return undefined
  if (sign === 0xc000) return 'NaN'
  if (sign === 0xd000) return 'Infinity'
  if (sign === 0xf000) return '-Infinity'
  const group = (power: number): string => {
    const index = weight - power
    const digits = index >= 0 && index < groups ? bytes.readUInt16BE(8 + index * 2) : 0
    return String(digits).padStart(4, '0')
  }
  let whole = ''
  for (let power = Math.max(weight, 0); power >= 0; power -= 1) whole += group(power)
  let fraction = ''
  for (let power = -1; fraction.length < scale; power -= 1) fraction += group(power)
  const shown = whole.replace(/^0+(?=\d)/, '') + (scale > 0 ? `.${fraction.slice(0, scale)}` : '')
  return sign === 0x4000 ? `-${shown}` : shown
}
