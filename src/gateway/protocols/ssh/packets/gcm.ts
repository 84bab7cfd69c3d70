/** The key of one direction under AES-GCM, and its nonce: four bytes that stay, and a number that counts packets (RFC 5647, 7.1). */
import type { CipherGCMTypes, KeyObject } from 'node:crypto'

export interface GcmKey {
  readonly name: CipherGCMTypes
  /** Prepared: node:crypto takes it five times faster than one in bytes. */
  readonly key: KeyObject
  /** Of the next packet. */
  readonly nonce: Buffer
}

export const tagBytes = 16
export const aesBlock = 16
/** Where the length of a packet stands, which is not encrypted. */
export const lengthBytes = 4

const counterAt = 4

export function advance(nonce: Buffer): void {
  for (let at = nonce.length - 1; at >= counterAt; at -= 1) {
    const next = (nonce.readUInt8(at) + 1) & 0xff
    nonce.writeUInt8(next, at)
    if (next !== 0) return
  }
}
