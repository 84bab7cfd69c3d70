/** A remote command over channel.k8s.io. Pure. */
import { hoopError } from '../../../../contract/error-codes.ts'
import { createWebSocketWriter, type NextMaskKey, type WebSocketWriter } from '../../wire/websocket.ts'
import { type ChannelHeard, channelEnd, channelMessage, createChannelReader } from './channels.ts'
import { type Channel, type End, type Heard, speaker, type Tongue } from './tongue.ts'

const numbers: Readonly<Record<Channel, number>> = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 }
const names = new Map(Object.entries(numbers).map(([name, number]) => [number, name as Channel]))

const normal = 1000

export function createWebSocketTongue(version: 'v4' | 'v5', key: NextMaskKey): Tongue {
  const readers = {
    client: createChannelReader('client', version === 'v5'),
    upstream: createChannelReader('server', version === 'v5'),
  }
  const writers: Readonly<Record<End, WebSocketWriter>> = {
    client: createWebSocketWriter(),
    upstream: createWebSocketWriter(key),
  }

  function understood(from: End, heard: ChannelHeard): Heard {
    const onward = writers[from === 'client' ? 'upstream' : 'client']
    switch (heard.kind) {
      case 'data': {
        const channel = nameOf(heard.channel)
        if (speaker[channel] !== from && heard.bytes.length > 0) throw broken(`the ${from} speaks on ${channel}`)
        return { kind: 'data', channel, bytes: heard.bytes }
      }
      case 'end':
        return { kind: 'end', channel: nameOf(heard.channel), onward: channelEnd(onward, heard.channel) }
      case 'ping':
      case 'pong':
        return { kind: 'other', onward: onward.control(heard.kind, heard.bytes) }
      case 'close':
        return { kind: 'close', onward: onward.close(heard.code, heard.reason) }
      default:
        return heard satisfies never
    }
  }

  return {
    *hear(from, chunk) {
      for (const heard of readers[from].read(chunk)) yield understood(from, heard)
    },
    isOpen: () => true,
    say: (to, channel, bytes) => channelMessage(writers[to], numbers[channel], bytes),
    bye: (to) => writers[to].close(normal),
    error: 'status',
  }
}

function nameOf(channel: number): Channel {
  const name = names.get(channel)
  if (name === undefined) throw broken(`channel ${channel} is not known`)
  return name
}

function broken(what: string) {
  return hoopError('protocol-error', `not a remote command that can be followed: ${what}`)
}
