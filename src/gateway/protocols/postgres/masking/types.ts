/**
 * Which types can carry a mask's text. A client parses what it gets by the column's type, in both formats: `•••` in an
 * int4 is a crash or a NaN there, so what is no text becomes NULL.
 */

/** How a masked value of a type is shown. */
export type Carrier = 'text' | 'json' | 'jsonb' | 'null'

// Built-in types have the same OID in every database (src/include/catalog/pg_type.dat).
const text = new Set([19, 25, 142, 705, 1042, 1043, 2275])
const json = 114
const jsonb = 3802

export const bytea = 17
export const int8 = 20
export const numeric = 1700

export function carrierOf(type: number, textTypes: ReadonlySet<number>): Carrier {
  if (text.has(type) || textTypes.has(type)) return 'text'
  if (type === json) return 'json'
  return type === jsonb ? 'jsonb' : 'null'
}

/**
 * Types whose values no detector is asked about: small numbers, dates, times, places, identifiers of the server. What
 * looks like a card number in one of them is chance.
 */
const plain = new Set([
  16, 18, 20, 21, 22, 23, 24, 26, 27, 28, 29, 30, 600, 601, 602, 603, 604, 628, 650, 700, 701, 718, 774, 790, 829, 869,
  1082, 1083, 1114, 1184, 1186, 1266, 1560, 1562, 1700, 2202, 2203, 2205, 2206, 2278, 2950, 3220, 3904, 3906, 3908,
  3910, 3912, 3926, 5069,
])

/** int8 and numeric may well hold a card number, and are looked at in their own way. */
export function isPlain(type: number): boolean {
  return plain.has(type) && type !== int8 && type !== numeric
}
