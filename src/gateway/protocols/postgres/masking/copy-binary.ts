/** COPY's binary format: a header, rows of counted values, a trailer. https://www.postgresql.org/docs/current/sql-copy.html */

/** `PGCOPY`, line ends that a text transfer would break, flags, length of an extension that nobody uses. */
const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const shortestHeader = signature.length + 8

export const trailer = Buffer.from([0xff, 0xff])

/** Length of the header that these bytes start with; undefined: none. */
export function headerLength(bytes: Buffer): number | undefined {
  if (bytes.length < shortestHeader || !bytes.subarray(0, signature.length).equals(signature)) return undefined
  const length = shortestHeader + bytes.readUInt32BE(signature.length + 4)
  return length <= bytes.length ? length : undefined
}

export interface BinaryRow {
  /** null is NULL. */
  readonly values: readonly (Buffer | null)[]
  /** Where the next row, or the trailer, begins. */
  readonly end: number
}

/** undefined: no whole row with that many values starts here. */
export function readBinaryRow(bytes: Buffer, start: number, count: number): BinaryRow | undefined {
  if (start + 2 > bytes.length || bytes.readInt16BE(start) !== count) return undefined
  const values: (Buffer | null)[] = []
  let at = start + 2
  for (let index = 0; index < count; index++) {
    if (at + 4 > bytes.length) return undefined
    const length = bytes.readInt32BE(at)
    at += 4
    if (length < -1 || at + length > bytes.length) return undefined
    values.push(length < 0 ? null : bytes.subarray(at, at + length))
    if (length > 0) at += length
  }
  return { values, end: at }
}

export function writeBinaryRow(values: readonly (Buffer | null)[]): Buffer {
  const parts: Buffer[] = []
  const counted = (length: number, bytes: 2 | 4) => {
    const number = Buffer.alloc(bytes)
    number.writeIntBE(length, 0, bytes)
    parts.push(number)
  }
  counted(values.length, 2)
  for (const value of values) {
    counted(value?.length ?? -1, 4)
    if (value !== null) parts.push(value)
  }
  return Buffer.concat(parts)
}
