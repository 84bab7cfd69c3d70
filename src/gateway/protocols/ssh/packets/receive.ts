/**
 * Bytes → packets (RFC 4253, 6), in place of ssh2's reader: a packet is opened once it is whole, in one piece, so that it costs
 * one buffer. It may be as long as OpenSSH's own; ssh2 takes a tenth of that, less than some command lines have.
 */
import type { Opening } from 'ssh2/lib/protocol/utils.js'

export interface Opener {
  /** Of what stands behind a packet and proves it. */
  readonly proofBytes: number
  /** Packets are filled up to a multiple of it. */
  readonly blockBytes: number
  /**
   * Length, body and proof in; the body in the clear out. Throws where it is not what the peer sent. What it gives back
   * keeps nothing of `packet`.
   */
  open(packet: Buffer, number: number): Buffer
}

const lengthBytes = 4
/** OpenSSH's PACKET_MAX_SIZE. */
export const longestPacket = 256 * 1024
const leastPadding = 4
/** Room for 64 KiB of data and all around it is kept for the next packet, more is not. */
const mostKept = 65 * 1024

/** With the members that ssh2 reads and sets. */
export class Receiver implements Opening {
  inSeqno: number
  _onPayload: Opening['_onPayload']
  readonly #opener: Opener
  readonly #least: number
  /** The packet that has not arrived whole yet: room for it, how much of it is there, and how long it is (0: not known). */
  #partial = Buffer.allocUnsafe(lengthBytes)
  #filled = 0
  #whole = 0

  constructor(opener: Opener, { inSeqno, _onPayload }: Opening) {
    this.inSeqno = inSeqno
    this._onPayload = _onPayload
    this.#opener = opener
    this.#least = opener.blockBytes
  }

  free(): void {}

  /** Takes what is in `data` from `at` on; where a packet changes who reads on, says how far it has come. */
  decrypt(data: Buffer, at: number, end: number): number | undefined {
    for (let next = at; next < end; ) {
      let packet: Buffer
      if (this.#filled === 0 && end - next >= lengthBytes) {
        const whole = this.#wholeLength(data, next)
        if (end - next < whole) {
          this.#begin(data.subarray(next, end), whole)
          return undefined
        }
        packet = data.subarray(next, next + whole)
        next += whole
      } else {
        if (this.#whole === 0) {
          next += this.#fill(data, next, end, lengthBytes)
          if (this.#filled < lengthBytes) return undefined
          this.#begin(Buffer.from(this.#partial.subarray(0, lengthBytes)), this.#wholeLength(this.#partial, 0))
        }
        next += this.#fill(data, next, end, this.#whole)
        if (this.#filled < this.#whole) return undefined
        packet = this.#partial.subarray(0, this.#whole)
        this.#filled = 0
        this.#whole = 0
      }
      const payload = payloadOf(this.#opener.open(packet, this.inSeqno))
      if (this.#filled === 0 && this.#partial.length > mostKept) this.#partial = Buffer.allocUnsafe(lengthBytes)
      this.inSeqno = (this.inSeqno + 1) >>> 0
      const told = this._onPayload(payload)
      if (told !== undefined) return told === false ? next : told
    }
    return undefined
  }

  #begin(bytes: Buffer, whole: number): void {
    if (this.#partial.length < whole) this.#partial = Buffer.allocUnsafeSlow(whole)
    this.#filled = bytes.copy(this.#partial)
    this.#whole = whole
  }

  #fill(data: Buffer, at: number, end: number, upTo: number): number {
    const copied = data.copy(this.#partial, this.#filled, at, Math.min(end, at + upTo - this.#filled))
    this.#filled += copied
    return copied
  }

  #wholeLength(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32BE(at)
    const { blockBytes, proofBytes } = this.#opener
    if (length > longestPacket) throw new Error(`it sent a packet of ${length} bytes; the longest is ${longestPacket}`)
    if (length < this.#least || length % blockBytes !== 0) throw new Error('Bad packet length')
    return lengthBytes + length + proofBytes
  }
}

/** A body is the length of its padding, the payload and the padding. */
function payloadOf(body: Buffer): Buffer {
  const padding = body.readUInt8(0)
  if (padding < leastPadding || padding >= body.length) throw new Error('Bad padding length')
  return body.subarray(1, body.length - padding)
}
