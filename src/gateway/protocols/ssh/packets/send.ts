/**
 * Packets → bytes under AES-GCM, in place of ssh2's: what is to be encrypted is written into one block that all connections
 * share, because it is encrypted before anything else happens.
 */
import { createCipheriv, randomFillSync } from 'node:crypto'
import type { Sealing } from 'ssh2/lib/protocol/utils.js'
import { advance, aesBlock, type GcmKey, lengthBytes } from './gcm.ts'

/** A packet of 32 KiB of data, and all around it. Longer ones have a block of their own. */
const block = Buffer.allocUnsafeSlow(33 * 1024)
const leastPadding = 4
/** Up to here a copy costs less than one piece more in the write. */
const copiedUpTo = 1024

/** With the members that ssh2 calls, sets and reads. */
export class GcmSender implements Sealing {
  outSeqno: number
  readonly #gcm: GcmKey
  readonly #write: (bytes: Buffer) => void
  #isOver = false

  constructor(gcm: GcmKey, { outSeqno, _onWrite }: Sealing) {
    this.outSeqno = outSeqno
    this.#gcm = gcm
    this.#write = _onWrite
  }

  get _onWrite(): Sealing['_onWrite'] {
    return this.#write
  }

  free(): void {
    this.#isOver = true
  }

  /** To be filled from its sixth byte on and encrypted before the next one is asked for. */
  allocPacket(payload: number): Buffer {
    const bare = aesBlock - ((payload + 1) % aesBlock)
    const padding = bare < leastPadding ? bare + aesBlock : bare
    const length = 1 + payload + padding
    const whole = lengthBytes + length
    const packet = whole <= block.length ? block.subarray(0, whole) : Buffer.allocUnsafeSlow(whole)
    packet.writeUInt32BE(length)
    packet.writeUInt8(padding, lengthBytes)
    fillRandom(packet, whole - padding)
    return packet
  }

  encrypt(packet: Buffer): void {
    if (this.#isOver) return
    const { name, key, nonce } = this.#gcm
    const cipher = createCipheriv(name, key, nonce)
    const length = Buffer.from(packet.subarray(0, lengthBytes))
    cipher.setAAD(length)
    const body = cipher.update(packet.subarray(lengthBytes))
    cipher.final()
    const tag = cipher.getAuthTag()
    advance(nonce)
    this.outSeqno = (this.outSeqno + 1) >>> 0
    if (body.length <= copiedUpTo) this.#write(Buffer.concat([length, body, tag]))
    else for (const piece of [length, body, tag]) this.#write(piece)
  }
}

/** Drawn by the kilobyte; no byte is used twice. */
const drawn = Buffer.allocUnsafeSlow(4096)
let used = drawn.length

function fillRandom(packet: Buffer, from: number): void {
  const count = packet.length - from
  if (used + count > drawn.length) {
    randomFillSync(drawn)
    used = 0
  }
  drawn.copy(packet, from, used, used + count)
  used += count
}
