/**
 * The audit's hash chain: pure, and in contract so that a client can check the proof without trusting the gateway.
 * The hashed text of a record is its JSON with `hash` left out and every object's keys in the order they were written.
 * A record travels and is stored as that very line, so no canonicalisation can differ between writer and verifier.
 */
import { hash as digest } from 'node:crypto'

/** `prev` of the first record. */
export const genesis = '0'.repeat(64)

/**
 * Closes a record's line. `body` is the JSON object text without `hash`, starting with `{` and ending with `}`; `prev` is
 * inside it. The line is the same object with `"hash":"…"` as its last member.
 */
export function sealLine(body: string): { line: string; hash: string } {
  const hash = hashOf(body)
  return { line: body.slice(0, -1) + sealOf(hash), hash }
}

/** What stands in the place of a body's last brace. */
export function sealOf(hash: string): string {
  return `,"hash":"${hash}"}`
}

/** What is wrong with this line as the successor of a record with hash `prev` and number `seq - 1`; undefined if nothing. */
export function flawIn(line: string, expected: { readonly seq: number; readonly prev: string }): string | undefined {
  const seal = line.match(/,"hash":"([0-9a-f]{64})"\}$/)
  if (seal === null) return 'has no hash at its end'
  if (hashOf(`${line.slice(0, seal.index)}}`) !== seal[1]) return 'was altered: its hash does not fit its text'
  const parsed = parsedOrUndefined(line)
  if (parsed === undefined) return 'is not a JSON object'
  const { seq, prev } = parsed
  if (seq !== expected.seq)
    return `has number ${String(seq)} where ${expected.seq} is due: records are missing or out of order`
  if (prev !== expected.prev) return 'does not follow the record before it: that one was replaced'
  return undefined
}

/** The hash that a sealed line ends with. */
export function hashAtEnd(line: string): string {
  return line.slice(-66, -2)
}

/** Whoever forges a line can hash it too. */
function parsedOrUndefined(line: string): { seq?: unknown; prev?: unknown } | undefined {
  try {
    const parsed: unknown = JSON.parse(line)
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined
  } catch {
    return undefined
  }
}

/** Of a body: text, or the same in UTF-8. */
export function hashOf(body: string | Uint8Array): string {
  return digest('sha256', body)
}
