/** Members of JSON that hold credentials by their very name: shown to whoever may see them, and never written down. */
import { isSecretName } from '../../../../base/secret-names.ts'
import type { Masks } from '../../../checkpoint.ts'

const colon = 0x3a
const quote = 0x22
const backslash = 0x5c
const longestName = 256

/**
 * False: no member in this JSON has such a name. Quick, because every answer that is kept is asked about; it may say yes for
 * nothing, never no for a name that the reader would find.
 */
export function namesSecrets(bytes: Buffer): boolean {
  // A mark of UTF-16.
  if ((bytes[0] ?? 0) >= 0xfe) return true
  for (let at = 1; at < bytes.length; at++) {
    if (bytes[at] !== colon) continue
    let end = at - 1
    while (end > 0 && isBlank(bytes[end] as number)) end--
    if (bytes[end] === quote && isSecretBefore(bytes, end)) return true
  }
  return false
}

/** The name whose closing quote stands here; with an escape in it, it could be any. */
function isSecretBefore(bytes: Buffer, end: number): boolean {
  let start = end
  let hash = 0
  while (start > 0 && bytes[start - 1] !== quote) {
    start--
    const byte = bytes[start] as number
    if (byte === backslash) return true
    hash = (Math.imul(hash, 33) ^ byte) | 0
  }
  if (bytes[start - 2] === backslash || end - start > longestName) return true
  const slot = (hash ^ (hash >>> 15)) & (harmless.length - 1)
  if (isThat(harmless[slot] as string, bytes, start, end)) return false
  const name = bytes.toString('latin1', start, end)
  if (isSecretName(name)) return true
  harmless[slot] = name
  return false
}

/** The same few names stand in every answer: one in each slot is found again without making a string of it. */
const harmless: string[] = new Array<string>(1024).fill('')

function isThat(name: string, bytes: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let at = 0; at < name.length; at++) if (name.charCodeAt(at) !== bytes[start + at]) return false
  return true
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}

const extended = new WeakMap<Masks, Masks>()

export function withSecretNames(masks: Masks): Masks {
  const known = extended.get(masks)
  if (known !== undefined) return known
  const more: Masks = {
    ...masks,
    empty: false,
    hasFields: true,
    field: (path) => masks.field(path) ?? (isSecretName(path.at(-1) ?? '') ? 'redact' : undefined),
    meansMember: (name) => masks.meansMember(name) || isSecretName(name),
  }
  extended.set(masks, more)
  return more
}
