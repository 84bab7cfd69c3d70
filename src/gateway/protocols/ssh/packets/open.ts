/** What opens packets: AES-GCM as OpenSSH has it (RFC 5647), and a stream cipher with a MAC over what it encrypted. */
import { createDecipheriv, createHmac, type Decipheriv, type KeyObject, timingSafeEqual } from 'node:crypto'
import { advance, aesBlock, type GcmKey, lengthBytes, tagBytes } from './gcm.ts'
import type { Opener } from './receive.ts'

export function gcmOpener({ name, key, nonce }: GcmKey): Opener {
  return {
    proofBytes: tagBytes,
    blockBytes: aesBlock,
    open(packet) {
      const end = packet.length - tagBytes
      const decipher = createDecipheriv(name, key, nonce)
      decipher.setAAD(packet.subarray(0, lengthBytes))
      decipher.setAuthTag(packet.subarray(end))
      const body = decipher.update(packet.subarray(lengthBytes, end))
      decipher.final()
      advance(nonce)
      return body
    },
  }
}

export interface MacKey {
  /** As node:crypto calls it. */
  readonly hash: string
  readonly key: KeyObject
  /** Of the MAC that is sent. */
  readonly bytes: number
}

/** `decipher` goes on from packet to packet. OpenSSH's `…-etm@openssh.com`: the length in the clear, the MAC over all of it. */
export function etmOpener(decipher: Decipheriv, mac: MacKey): Opener {
  const number = Buffer.allocUnsafe(4)
  return {
    proofBytes: mac.bytes,
    blockBytes: aesBlock,
    open(packet, count) {
      const end = packet.length - mac.bytes
      number.writeUInt32BE(count)
      const proof = createHmac(mac.hash, mac.key).update(number).update(packet.subarray(0, end)).digest()
      if (!timingSafeEqual(proof.subarray(0, mac.bytes), packet.subarray(end))) throw new Error('Invalid MAC')
      return decipher.update(packet.subarray(lengthBytes, end))
    },
  }
}
