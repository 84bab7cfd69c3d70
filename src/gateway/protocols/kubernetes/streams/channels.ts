/**
 * `v4.channel.k8s.io` and `v5.channel.k8s.io`: binary WebSocket messages whose first byte says which channel the rest belongs
 * to. In v5, channel 255 says of another one that nothing more comes on it. Pure.
 */
import { hoopError } from '../../../../contract/error-codes.ts'
import { createWebSocketReader, type WebSocketWriter } from '../../wire/websocket.ts'

export type ChannelHeard =
  /** May be empty: that a channel is open is news too. */
  | { readonly kind: 'data'; readonly channel: number; readonly bytes: Buffer }
  | { readonly kind: 'end'; readonly channel: number }
  | { readonly kind: 'ping' | 'pong'; readonly bytes: Buffer }
  | { readonly kind: 'close'; readonly code: number | undefined; readonly reason: string }

export interface ChannelReader {
  /** Throws a HoopError `protocol-error`; there is no going on after that. */
  read(chunk: Buffer): Generator<ChannelHeard, void, undefined>
}

const closing = 255

/** `canEnd`: it is v5. */
export function createChannelReader(from: 'client' | 'server', canEnd: boolean): ChannelReader {
  const frames = createWebSocketReader({ from })
  /** Of the message that has begun: its first byte, and whether something has come behind it. */
  let channel: number | undefined
  let isEmpty = true

  function* read(chunk: Buffer): Generator<ChannelHeard, void, undefined> {
    for (const part of frames.read(chunk)) {
      if (part.kind !== 'data') {
        yield part
        continue
      }
      if (part.type !== 'binary') throw broken('a message that is text')
      let { bytes } = part
      if (channel === undefined && bytes.length > 0) {
        channel = bytes[0]
        bytes = bytes.subarray(1)
        if (channel === closing && !canEnd) throw broken('channel 255, which only v5 knows')
      }
      if (channel === closing) {
        if (bytes.length > 1 || (bytes.length === 1 && !isEmpty)) throw broken('the end of more than one channel')
        const [ended] = bytes
        if (ended !== undefined) yield { kind: 'end', channel: ended }
        else if (part.ends && isEmpty) throw broken('the end of no channel')
      } else if (channel !== undefined && (bytes.length > 0 || (part.ends && isEmpty)))
        yield { kind: 'data', channel, bytes }
      if (bytes.length > 0) isEmpty = false
      if (!part.ends) continue
      // A message without a first byte says nothing.
      channel = undefined
      isEmpty = true
    }
  }
  return { read }
}

export function channelMessage(writer: WebSocketWriter, channel: number, bytes: Buffer): Buffer[] {
  return writer.message('binary', Buffer.of(channel), bytes)
}

export function channelEnd(writer: WebSocketWriter, channel: number): Buffer[] {
  return writer.message('binary', Buffer.of(closing, channel))
}

function broken(what: string) {
  return hoopError('protocol-error', `not channel.k8s.io as it can be followed: ${what}`)
}
