/**
 * What ssh2 can do and does not offer, in one place: a message of our own (a disconnect with a sentence, an exit status
 * after the end of output, an exit signal it has no name for, a certificate's login), a rekey from the client's side, and keys
 * that need not be prepared for every packet.
 * Checked against the real package once for each connection: another version of ssh2 must not fail half-way.
 */
import { createSecretKey } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import type { Channel, Client, Connection } from 'ssh2'
import utils, { type Transport } from 'ssh2/lib/protocol/utils.js'
import { hoopError } from '../../../contract/error-codes.ts'

/** RFC 4253, 11.1 */
export const disconnectReasons = { protocolError: 2, byApplication: 11 } as const

type End = Client | Connection

interface Inside {
  readonly _protocol?: Transport
}

interface InsideChannel {
  readonly _client: Inside
  readonly outgoing: { readonly id: number }
  _chunk: unknown
  _chunkcb: unknown
  _chunkErr: unknown
  _chunkcbErr: unknown
}

/** Throws `internal` where ssh2 is not what this file knows. */
export function transportOf(end: End): Transport {
  return checked(end as unknown as Inside)
}

function checked({ _protocol: transport }: Inside): Transport {
  if (
    transport === undefined ||
    typeof transport._packetRW?.write?.alloc !== 'function' ||
    typeof transport._packetRW.write.allocStart !== 'number' ||
    typeof transport.rekey !== 'function' ||
    !Array.isArray(transport._authsQueue)
  )
    throw hoopError('internal', 'this version of ssh2 is not the one that the gateway was built for')
  return transport
}

/**
 * node:crypto takes a key that is an object five times faster than one in bytes, and ssh2 hands its keys over with every
 * packet: a third of all the time that a large transfer costs. To be called once for each connection.
 */
export function keepKeysReady(end: End): void {
  const transport = transportOf(end)
  const handshakes: Pick<EventEmitter, 'on'> = end
  handshakes.on('handshake', () => {
    for (const keyed of [transport._cipher, transport._decipher])
      for (const name of ['_encKey', '_decipherKey', '_macKey'] as const) {
        const key = keyed[name]
        if (Buffer.isBuffer(key) && key.length > 0) keyed[name] = createSecretKey(key)
      }
  })
}

/** One message, number first, as RFC 4250 to 4254 write them; waits by itself while keys are exchanged. */
export function send(transport: Transport, payload: Buffer): void {
  const { write } = transport._packetRW
  const packet = write.alloc(payload.length)
  packet.set(payload, write.allocStart)
  utils.sendPacket(transport, write.finalize(packet))
}

/** SSH_MSG_DISCONNECT with words: ssh2 sends it without. */
export function disconnect(end: End, reason: number, sentence: string): void {
  try {
    send(transportOf(end), Buffer.concat([Buffer.from([1]), uint32(reason), text(sentence), text('')]))
  } catch {
    // The connection is gone already: then nobody is there to be told.
  }
}

/** Exit status or signal (RFC 4254, 6.10). ssh2 sends none any more once the output has ended. */
export function sendExit(channel: Channel, exit: Exit): void {
  const inside = insideOf(channel)
  const head = [Buffer.from([98]), uint32(inside.outgoing.id)]
  const no = Buffer.from([0])
  const body =
    'status' in exit
      ? [text('exit-status'), no, uint32(exit.status)]
      : [
          text('exit-signal'),
          no,
          text(exit.signal),
          Buffer.from([exit.coreDumped ? 1 : 0]),
          text(exit.message),
          text(''),
        ]
  send(checked(inside._client), Buffer.concat([...head, ...body]))
}

/** A signal for what runs there (RFC 4254, 6.9); ssh2 throws at names it does not know. */
export function sendSignal(channel: Channel, name: string): void {
  const inside = insideOf(channel)
  send(
    checked(inside._client),
    Buffer.concat([Buffer.from([98]), uint32(inside.outgoing.id), text('signal'), Buffer.from([0]), text(name)]),
  )
}

export type Exit =
  | { readonly status: number }
  /** Without `SIG`: `KILL`. */
  | { readonly signal: string; readonly coreDumped: boolean; readonly message: string }

/**
 * ssh2 keeps what it last had to hold back of a channel's output, sent or not, and sends it again when stderr waits for
 * the window later on. To be called before every write, with none under way.
 */
export function forgetSent(channel: Channel): void {
  const inside = insideOf(channel)
  inside._chunk = undefined
  inside._chunkcb = undefined
  inside._chunkErr = undefined
  inside._chunkcbErr = undefined
}

function insideOf(channel: Channel): InsideChannel {
  return channel as unknown as InsideChannel
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function uint64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

/** A `string` of RFC 4251, 5: its length, then its bytes. */
export function text(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint32(bytes.length), bytes])
}
