/** Fields of an answer as the target sent them → as they may go on. Pure. */
import type { Fields } from './exchange.ts'

/** undici's `rawHeaders`: names and values in turn as bytes (HTTP/1.1), or an object (HTTP/2). */
export type RawFields = readonly (Buffer | string)[] | Readonly<Record<string, string | string[] | undefined>>

/** RFC 9110, 7.6.1: about one connection, whatever Connection says. */
const ofOneConnection = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

export function fieldsOf(raw: RawFields | null | undefined): Fields {
  if (raw === null || raw === undefined) return []
  if (!isList(raw))
    return Object.entries(raw).flatMap(([name, value]) =>
      // Pseudo-fields (RFC 9113, 8.3) are no fields.
      value === undefined || name.startsWith(':') ? [] : [value].flat().map((one) => [name, one] as const),
    )
  const fields: (readonly [string, string])[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) fields.push([latin1(raw[at]), latin1(raw[at + 1])])
  return fields
}

/** `keepUpgrade`: of a 101, which says with it what the connection goes on with. */
export function endToEnd(fields: Fields, keepUpgrade = false): Fields {
  const named = new Set<string>()
  for (const [name, value] of fields)
    if (name.length === 10 && name.toLowerCase() === 'connection')
      for (const option of value.split(',')) named.add(option.trim().toLowerCase())
  return fields.filter(([name]) => {
    const lower = name.toLowerCase()
    if (keepUpgrade && lower === 'upgrade') return true
    return !ofOneConnection.has(lower) && !named.has(lower)
  })
}

function isList(raw: RawFields): raw is readonly (Buffer | string)[] {
  return Array.isArray(raw)
}

function latin1(text: Buffer | string | undefined): string {
  return typeof text === 'object' ? text.toString('latin1') : (text ?? '')
}
