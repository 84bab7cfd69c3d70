/**
 * An object that came as protobuf, as the JSON that it stands for. kubectl sends some of its requests so (`kubectl create …`,
 * `auth can-i`, `drain`). Whatever is not known for certain makes the whole unread: a field without a name here, one that is
 * given twice, a kind that schema.ts does not have. Pure.
 *
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
import { type Json, type JsonObject, isObject } from '../json.ts'
import { type FieldType, type MessageType, typeOf, typeOfKind } from './schema.ts'
import { fieldsIn, textOf, type WireField } from './wire.ts'

/** Before the envelope: `k8s`, and a zero. */
const magic = [0x6b, 0x38, 0x73, 0x00]
/** Objects in each other; a pod has about ten. */
const mostDepth = 40

export function readProtobuf(bytes: Uint8Array): Json | undefined {
  if (!magic.every((byte, at) => bytes[at] === byte)) return undefined
  const envelope = single(fieldsIn(bytes.subarray(magic.length)))
  if (envelope === undefined) return undefined
  const what = bytesIn(envelope.get(1))
  const raw = bytesIn(envelope.get(2)) ?? new Uint8Array()
  // An encoding or another type of what is inside: nobody sends one.
  if ([3, 4].some((number) => (bytesIn(envelope.get(number))?.length ?? 0) > 0) || what === undefined) return undefined
  const kindOf = single(fieldsIn(what))
  const apiVersion = textIn(kindOf?.get(1))
  const kind = textIn(kindOf?.get(2))
  if (apiVersion === undefined || kind === undefined) return undefined
  const type = typeOfKind(apiVersion, kind)
  const object = type === undefined ? undefined : readMessage(raw, type, mostDepth)
  return object === undefined ? undefined : { apiVersion, kind, ...object }
}

function readMessage(bytes: Uint8Array, type: MessageType, depth: number): JsonObject | undefined {
  const fields = fieldsIn(bytes)
  if (fields === undefined || depth === 0) return undefined
  const members: Record<string, Json> = {}
  for (const { number, value } of fields) {
    const field = type.get(number)
    if (field === undefined) return undefined
    const read = readValue(value, field, depth - 1)
    if (read === undefined) return undefined
    if (!put(members, field, read)) return undefined
  }
  return members
}

/** False where it is given twice, which readers take for different things. */
function put(members: Record<string, Json>, { name, many }: FieldType, value: Json): boolean {
  const had = Object.hasOwn(members, name) ? members[name] : undefined
  if (many === 'list') members[name] = [...(Array.isArray(had) ? had : []), value]
  else if (name === '+') return isObject(value) && Object.entries(value).every((entry) => putNew(members, ...entry))
  else if (many === 'map') {
    const known = isObject(had) ? had : {}
    if (!isObject(value) || Object.keys(value).some((key) => Object.hasOwn(known, key))) return false
    members[name] = { ...known, ...value }
  } else if (value !== '' && !isEmpty(value)) return putNew(members, name, value)
  return true
}

function putNew(members: Record<string, Json>, name: string, value: Json): boolean {
  if (Object.hasOwn(members, name)) return false
  members[name] = value
  return true
}

function isEmpty(value: Json): boolean {
  return isObject(value) && Object.keys(value).length === 0
}

function readValue(value: WireField['value'], field: FieldType, depth: number): Json | undefined {
  if (field.many !== 'map') return readPlain(value, field.type, depth)
  const entry = typeof value === 'bigint' ? undefined : single(fieldsIn(value))
  const key = entry === undefined || !entry.has(1) ? '' : textIn(entry.get(1))
  if (entry === undefined || key === undefined || [...entry.keys()].some((number) => number > 2)) return undefined
  const inner = readPlain(entry.get(2) ?? new Uint8Array(), field.type, depth)
  return inner === undefined ? undefined : Object.fromEntries([[key, inner]])
}

function readPlain(value: WireField['value'], type: string, depth: number): Json | undefined {
  if (typeof value === 'bigint') {
    if (type === 'b') return value !== 0n
    return type === 'i' && Number.isSafeInteger(Number(value)) ? Number(value) : undefined
  }
  switch (type) {
    case 's':
      return textOf(value)
    case 'y':
      return Buffer.from(value).toString('base64')
    case '-':
      return value.length === 0 || isBlank(value, depth) ? {} : undefined
    case 'Quantity':
      return textIn(single(fieldsIn(value))?.get(1)) ?? undefined
    case 'Time':
      return timeOf(value)
    case 'IntOrString':
      return intOrString(value)
    default: {
      const message = typeOf(type)
      return message === undefined ? undefined : readMessage(value, message, depth)
    }
  }
}

/** Numbers that are 0, texts that are empty, messages that are no more than that: what stands there where nothing was said. */
function isBlank(bytes: Uint8Array, depth: number): boolean {
  const fields = fieldsIn(bytes)
  if (fields === undefined || depth <= 0) return false
  return fields.every(({ value }) => (typeof value === 'bigint' ? value === 0n : isBlank(value, depth - 1)))
}

function timeOf(bytes: Uint8Array): Json | undefined {
  const fields = single(fieldsIn(bytes))
  if (fields === undefined) return undefined
  const seconds = fields.get(1) ?? 0n
  if (typeof seconds !== 'bigint' || seconds < 0n || seconds > 253_402_300_799n) return undefined
  return fields.size === 0 ? '' : new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z')
}

function intOrString(bytes: Uint8Array): Json | undefined {
  const fields = single(fieldsIn(bytes))
  if (fields === undefined) return undefined
  if ((fields.get(1) ?? 0n) === 1n) return textIn(fields.get(3)) ?? ''
  const number = fields.get(2) ?? 0n
  return typeof number === 'bigint' ? Number(number) : undefined
}

/** By number; undefined where one is given twice. */
function single(fields: readonly WireField[] | undefined): ReadonlyMap<number, WireField['value']> | undefined {
  if (fields === undefined) return undefined
  const byNumber = new Map(fields.map(({ number, value }) => [number, value]))
  return byNumber.size === fields.length ? byNumber : undefined
}

function bytesIn(value: WireField['value'] | undefined): Uint8Array | undefined {
  return typeof value === 'bigint' ? undefined : value
}

function textIn(value: WireField['value'] | undefined): string | undefined {
  const bytes = bytesIn(value)
  return bytes === undefined ? undefined : textOf(bytes)
}
