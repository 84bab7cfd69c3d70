/**
 * What ssh2 can do and does not offer, in one place: a message of our own (a disconnect with a sentence, an exit status
 * after the end of output, an exit signal it has no name for, a certificate's login), a rekey from the client's side, and packets
 * that are read and written without it.
 * Checked against the real package once for each connection: another version of ssh2 must not fail half-way.
 */
import type { EventEmitter } from 'node:events'
import type { Channel, Client, Connection } from 'ssh2'
import utils, { type Transport } from 'ssh2/lib/protocol/utils.js'
import { hoopError } from '../../../contract/error-codes.ts'
import { takeOver } from './packets/take-over.ts'

/** RFC 4253, 11.1 */
export const disconnectReasons = { protocolError: 2, byApplication: 11 } as const

type End = Client | Connection

interface Inside {
  readonly _protocol?: Transport
}

interface InsideChannel {
  readonly _client: Inside
  readonly outgoing: { readonly id: number; state: string }
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

/** Reads and writes packets in ssh2's place, as far as packets/ can. To be called once for each connection. */
export function takePackets(end: End): void {
  const transport = transportOf(end)
  const handshakes: Pick<EventEmitter, 'on'> = end
  handshakes.on('handshake', () => takeOver(transport))
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

/** RFC 4254, 5.1 */
export const openFailures = { prohibited: 1, connectFailed: 2 } as const

/** What OpenSSH prints of a channel that cannot be had: `open failed: administratively prohibited: …`. ssh2's `reject` has no words. */
export function rejectWith(end: End, reject: () => void, reason: number, sentence: string): void {
  const transport = transportOf(end)
  const fail = transport.channelOpenFail
  transport.channelOpenFail = (remote) => fail.call(transport, remote, reason, sentence)
  try {
    reject()
  } finally {
    transport.channelOpenFail = fail
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

/** A signal for what runs there (RFC 4254, 6.9), if it still does; ssh2 throws at names it does not know. */
export function sendSignal(channel: Channel, name: string): void {
  const inside = insideOf(channel)
  if (!['open', 'eof'].includes(inside.outgoing.state)) return
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

/** False once its end or its close has been sent: what is written then is not sent, and ssh2 never says so. */
export function takesMore(channel: Channel): boolean {
  return insideOf(channel).outgoing.state === 'open'
}

/** None that ssh2 knows: in this one it answers no close. */
const answersLater = 'answers later'

/**
 * To be called when a client's close arrives, and after the end of output was sent: the exit status is still to come, and
 * ssh2 would close in this very turn. `closeChannel` closes then.
 */
export function answerCloseLater(channel: Channel): void {
  insideOf(channel).outgoing.state = answersLater
}

export function closeChannel(channel: Channel): void {
  const { outgoing } = insideOf(channel)
  if (outgoing.state === answersLater) outgoing.state = 'eof'
  channel.close()
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
