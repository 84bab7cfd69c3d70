/** Packets read and written without ssh2: however they are cut, and never one that is not what was sent. */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { advance } from '../../../../src/gateway/protocols/ssh/packets/gcm.ts'
import { etmOpener, gcmOpener } from '../../../../src/gateway/protocols/ssh/packets/open.ts'
import { type Opener, longestPacket, Receiver } from '../../../../src/gateway/protocols/ssh/packets/receive.ts'
import { GcmSender } from '../../../../src/gateway/protocols/ssh/packets/send.ts'
import { cuts } from '../../../support/chunks.ts'

const key = createSecretKey(randomBytes(16))
const nonce = randomBytes(12)
// Its counter runs over while these packets are sent.
nonce.fill(0xff, 9)
const name = 'aes-128-gcm'
const payloads = [1, 4, 11, 12, 200, 5000, 70_000].map((length, at) => Buffer.alloc(length, 65 + at))

function unread(opener: Opener, heard: Buffer[]): Receiver {
  const before = {
    inSeqno: 0xff_ff_ff_fe,
    _onPayload: () => undefined,
    free: () => undefined,
    decrypt: () => undefined,
  }
  const receiver = new Receiver(opener, before)
  receiver._onPayload = (payload) => {
    heard.push(Buffer.from(payload))
    return undefined
  }
  return receiver
}

function sent(...given: readonly Buffer[]): Buffer {
  const pieces: Buffer[] = []
  const write = (bytes: Buffer) => void pieces.push(bytes)
  const unused = { free: () => undefined, allocPacket: () => Buffer.alloc(0), encrypt: () => undefined }
  const sender = new GcmSender({ name, key, nonce: Buffer.from(nonce) }, { ...unused, outSeqno: 0, _onWrite: write })
  for (const payload of given) {
    const packet = sender.allocPacket(payload.length)
    payload.copy(packet, 5)
    sender.encrypt(packet)
  }
  return Buffer.concat(pieces)
}

const gcm = () => gcmOpener({ name, key, nonce: Buffer.from(nonce) })

describe('packets', () => {
  it('arrive as they were sent, whatever their length', () => {
    const heard: Buffer[] = []
    const bytes = sent(...payloads)
    unread(gcm(), heard).decrypt(bytes, 0, bytes.length)
    expect(heard.map(({ length }) => length)).toEqual(payloads.map(({ length }) => length))
    expect(Buffer.concat(heard).equals(Buffer.concat(payloads))).toBe(true)
  })

  it('arrive however they are cut, and in one piece each', () => {
    const few = payloads.slice(0, 5)
    const bytes = sent(...few)
    for (const pieces of cuts(bytes)) {
      const heard: Buffer[] = []
      const receiver = unread(gcm(), heard)
      for (const piece of pieces) receiver.decrypt(piece, 0, piece.length)
      if (!Buffer.concat(heard).equals(Buffer.concat(few)) || heard.length !== few.length)
        throw new Error(`cut at ${pieces[0]?.length}, other packets arrive`)
    }
  })

  it('are opened only where they are what was sent', () => {
    const bytes = sent(Buffer.from('a payload of some length'))
    for (let at = 0; at < bytes.length; at += 1) {
      const heard: Buffer[] = []
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(at) ^ 0x10, at)
      const read = () => unread(gcm(), heard).decrypt(changed, 0, changed.length)
      // A greater length waits for what never comes; anything else is seen.
      if (at > 3) expect(read).toThrow()
      else
        try {
          read()
        } catch {
          // Seen at once.
        }
      expect(heard).toEqual([])
    }
  })

  it.each([
    ['longer than OpenSSH’s', longestPacket + 16, /a packet of 262160 bytes; the longest is 262144/],
    ['without room for a padding', 0, /Bad packet length/],
    ['not of whole blocks', 33, /Bad packet length/],
  ])('are refused where they are %s, before anything is kept of them', (_, length, sentence) => {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(length)
    expect(() => unread(gcm(), []).decrypt(head, 0, 4)).toThrow(sentence)
  })

  it('under a stream cipher with a MAC are proved before they are opened, their number included', () => {
    const [secret, iv, macKey] = [randomBytes(16), randomBytes(16), createSecretKey(randomBytes(32))]
    const cipher = createCipheriv('aes-128-ctr', secret, iv)
    const opener = () =>
      etmOpener(createDecipheriv('aes-128-ctr', secret, iv), { hash: 'sha256', key: macKey, bytes: 32 })
    const payload = Buffer.from('eleven byte')
    const body = Buffer.concat([Buffer.from([4]), payload, Buffer.alloc(4)])
    const head = Buffer.from([0, 0, 0, body.length])
    const hidden = cipher.update(body)
    const packet = (number: number) => {
      const count = Buffer.alloc(4)
      count.writeUInt32BE(number)
      return Buffer.concat([
        head,
        hidden,
        createHmac('sha256', macKey).update(count).update(head).update(hidden).digest(),
      ])
    }
    const heard: Buffer[] = []
    const right = packet(0xff_ff_ff_fe)
    unread(opener(), heard).decrypt(right, 0, right.length)
    expect(heard.map(String)).toEqual(['eleven byte'])
    const other = packet(7)
    expect(() => unread(opener(), heard).decrypt(other, 0, other.length)).toThrow('Invalid MAC')
    expect(heard).toHaveLength(1)
  })

  it('stop where one of them changes who reads on', () => {
    const bytes = sent(Buffer.from('first'), Buffer.from('second'))
    const receiver = unread(gcm(), [])
    receiver._onPayload = () => false
    expect(receiver.decrypt(bytes, 0, bytes.length)).toBe(4 + 16 + 16)
  })

  it('are numbered by eight bytes that run over by themselves', () => {
    const last = Buffer.from([1, 2, 3, 4, ...Array.from({ length: 8 }, () => 255)])
    advance(last)
    expect([...last]).toEqual([1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0])
  })
})
