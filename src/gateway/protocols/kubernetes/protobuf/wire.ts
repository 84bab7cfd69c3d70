/** The wire format of protobuf (https://protobuf.dev/programming-guides/encoding/), as far as Kubernetes uses it. Pure. */

export interface WireField {
  readonly number: number
  /** A varint (as signed 64 bits), or the bytes of a field that has a length. */
  readonly value: bigint | Uint8Array
}

/** Every field of a message in its order; undefined for what is no message. */
export function fieldsIn(bytes: Uint8Array): readonly WireField[] | undefined {
  const fields: WireField[] = []
  let at = 0

  function varint(): bigint | undefined {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at]
      if (byte === undefined) return undefined
      at += 1
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, value)
    }
    return undefined
  }

  while (at < bytes.length) {
    const tag = varint()
    if (tag === undefined || tag < 8n || tag > 0xffff_ffffn) return undefined
    const number = Number(tag >> 3n)
    const value = varint()
    if (value === undefined) return undefined
    if ((tag & 7n) === 0n) fields.push({ number, value })
    else if ((tag & 7n) === 2n) {
      if (value < 0n || value > BigInt(bytes.length - at)) return undefined
      const end = at + Number(value)
      fields.push({ number, value: bytes.subarray(at, end) })
      at = end
    } else return undefined
  }
  return fields
}

export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
