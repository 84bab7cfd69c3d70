/**
 * What a frame says: views over the bytes that arrived. A view reads only what the conversation has to know; everything
 * else in the frame passes through as it came.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { hoopError } from '../../../contract/error-codes.ts'
import { cstring, frame, int16, int32 } from './wire.ts'

/** Message types by the letter that the manual gives them. */
export const code = (letter: string): number => letter.charCodeAt(0)

/** Reads a frame's body front to back; says what is wrong when there is less than it claims. */
export class View {
  readonly bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at = 5) {
    this.bytes = bytes
    this.#at = at
  }

  get at(): number {
    return this.#at
  }

  get left(): number {
    return this.bytes.length - this.#at
  }

  take(length: number): Buffer {
    if (length < 0 || length > this.left) throw malformed(this.bytes)
    this.#at += length
    return this.bytes.subarray(this.#at - length, this.#at)
  }

  byte(): number {
    return this.take(1).readUInt8()
  }

  int16(): number {
    return this.take(2).readInt16BE()
  }

  uint16(): number {
    return this.take(2).readUInt16BE()
  }

  int32(): number {
    return this.take(4).readInt32BE()
  }

  uint32(): number {
    return this.take(4).readUInt32BE()
  }

  /** Up to the next zero byte, which is read too. */
  cstring(): Buffer {
    const end = this.bytes.indexOf(0, this.#at)
    if (end < 0) throw malformed(this.bytes)
    const text = this.bytes.subarray(this.#at, end)
    this.#at = end + 1
    return text
  }

  end(): void {
    if (this.left > 0) throw malformed(this.bytes)
  }
}

function malformed(bytes: Buffer): Error {
  const type = String.fromCharCode(bytes[0] ?? 63)
  return hoopError('protocol-error', `a message of type "${type}" does not have the form that its type demands`)
}

/** The server keeps names of statements and portals to this length, and silently cuts longer ones. */
const nameBytes = 63

/**
 * The name of a statement or portal as the server tells it from others. Two names that the server takes for one must have
 * one key here, or what runs is not what was judged. undefined: which name the server makes of it depends on encodings.
 */
export function nameKey(name: Buffer, clientEncoding: string | undefined): string | undefined {
  if (isAscii(name)) return name.toString('latin1', 0, nameBytes)
  if (name.length > nameBytes || clientEncoding !== 'UTF8' || !isUtf8(name)) return undefined
  return name.toString('utf8')
}

export function readQuery(bytes: Buffer): Buffer {
  const view = new View(bytes)
  const sql = view.cstring()
  view.end()
  return sql
}

export interface ParseView {
  readonly name: Buffer
  readonly sql: Buffer
  /** Parameter types that the client gave, 0 where it left them open. */
  readonly types: readonly number[]
}

export function readParse(bytes: Buffer): ParseView {
  const view = new View(bytes)
  const name = view.cstring()
  const sql = view.cstring()
  const types: number[] = []
  for (let count = view.uint16(); count > 0; count -= 1) types.push(view.uint32())
  view.end()
  return { name, sql, types }
}

/** Name and first bytes of the SQL of a Parse that is too long to be read whole. */
export function readParseBeginning(bytes: Buffer): ParseView {
  const view = new View(bytes)
  const name = view.cstring()
  return { name, sql: view.take(view.left), types: [] }
}

export interface NamedView {
  readonly kind: 'statement' | 'portal'
  readonly name: Buffer
}

/** Describe and Close look the same. */
export function readNamed(bytes: Buffer): NamedView {
  const view = new View(bytes)
  const kind = view.byte()
  const name = view.cstring()
  view.end()
  if (kind === code('S')) return { kind: 'statement', name }
  if (kind === code('P')) return { kind: 'portal', name }
  throw malformed(bytes)
}

export interface ExecuteView {
  readonly portal: Buffer
  readonly maxRows: number
}

export function readExecute(bytes: Buffer): ExecuteView {
  const view = new View(bytes)
  const portal = view.cstring()
  const maxRows = view.int32()
  view.end()
  return { portal, maxRows }
}

export function readCommandTag(bytes: Buffer): string {
  return new View(bytes).cstring().toString('utf8')
}

/** Rows that a command tag speaks of: `INSERT 0 5` → 5; undefined for `CREATE TABLE`. */
export function rowsOfTag(tag: string): number | undefined {
  const [, rows] = tag.match(/^(?:SELECT|INSERT \d+|UPDATE|DELETE|MERGE|MOVE|FETCH|COPY) (\d+)$/) ?? []
  return rows === undefined ? undefined : Number(rows)
}

export function readParameterStatus(bytes: Buffer): { readonly name: string; readonly value: string } {
  const view = new View(bytes)
  return { name: view.cstring().toString('utf8'), value: view.cstring().toString('utf8') }
}

export function readBackendKey(bytes: Buffer): { readonly pid: number; readonly secret: Buffer } {
  const view = new View(bytes)
  return { pid: view.int32(), secret: Buffer.from(view.take(view.left)) }
}

export type TransactionStatus = 'I' | 'T' | 'E'

export function readReady(bytes: Buffer): TransactionStatus {
  const status = String.fromCharCode(new View(bytes).byte())
  if (status !== 'I' && status !== 'T' && status !== 'E') throw malformed(bytes)
  return status
}

/** Fields of an ErrorResponse or NoticeResponse by their letter. `bytes` may be only the beginning of the frame. */
export function readFields(bytes: Buffer): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (let at = 5; at < bytes.length && bytes[at] !== 0; ) {
    const end = bytes.indexOf(0, at + 1)
    const stop = end < 0 ? bytes.length : end
    fields.set(String.fromCharCode(bytes[at] ?? 0), bytes.toString('utf8', at + 1, stop))
    at = stop + 1
  }
  return fields
}

/** FATAL and PANIC end the connection; an ERROR does not. V is never translated; old servers have S alone. */
export function endsConnection(fields: ReadonlyMap<string, string>): boolean {
  const severity = fields.get('V') ?? fields.get('S')
  return severity === 'FATAL' || severity === 'PANIC'
}

export function readParameterTypes(bytes: Buffer): readonly number[] {
  const view = new View(bytes)
  const types: number[] = []
  for (let count = view.uint16(); count > 0; count -= 1) types.push(view.uint32())
  return types
}

// What the gateway itself says.

export interface SaidFields {
  readonly severity: 'ERROR' | 'FATAL' | 'NOTICE'
  readonly sqlState: string
  readonly message: string
  readonly detail?: string | undefined
  readonly hint?: string | undefined
}

export function errorResponse(fields: SaidFields): Buffer {
  return frame('E', fieldsBody(fields))
}

export function noticeResponse(fields: SaidFields): Buffer {
  return frame('N', fieldsBody(fields))
}

function fieldsBody({ severity, sqlState, message, detail, hint }: SaidFields): Buffer {
  const parts: Buffer[] = []
  const add = (letter: string, value: string | undefined) => {
    if (value !== undefined) parts.push(Buffer.from(letter), cstring(value.replaceAll('\0', '\\0')))
  }
  add('S', severity)
  add('V', severity)
  add('C', sqlState)
  add('M', message)
  add('D', detail)
  add('H', hint)
  return Buffer.concat([...parts, Buffer.alloc(1)])
}

export const authenticationOk = frame('R', int32(0))
export const sync = frame('S')
export const flush = frame('H')
export const emptyQuery = frame('Q', cstring(''))

export function backendKey(pid: number, secret: Buffer): Buffer {
  return frame('K', int32(pid), secret)
}

export function parameterStatus(name: string, value: string): Buffer {
  return frame('S', cstring(name), cstring(value))
}

export function describePortal(portal: Buffer): Buffer {
  return frame('D', Buffer.from('P'), cstring(portal))
}

/** A Parse that keeps name and types but carries no SQL at all. */
export function emptyParse({ name, types }: ParseView): Buffer {
  return frame('P', cstring(name), cstring(''), int16(types.length), ...types.map((type) => int32(type | 0)))
}

/** Binds a statement that does not exist. */
export function bindUnknown(statement: string): Buffer {
  return frame('B', cstring(''), cstring(statement), int16(0), int16(0), int16(0))
}
