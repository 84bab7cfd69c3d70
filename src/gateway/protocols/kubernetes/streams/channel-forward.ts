/**
 * Ports forwarded over `v4.channel.k8s.io`, as clients other than kubectl do: the request names the ports, and each has two
 * channels, for its data and its errors. Pure.
 */
import { hoopError } from '../../../../contract/error-codes.ts'
import { createWebSocketWriter, type NextMaskKey } from '../../wire/websocket.ts'
import { channelMessage, createChannelReader } from './channels.ts'
import type { ForwardTongue } from './forward-tongue.ts'

const normal = 1000

export function createChannelForward(ports: readonly number[], key: NextMaskKey): ForwardTongue {
  const readers = { client: createChannelReader('client', false), upstream: createChannelReader('server', false) }
  const writers = { client: createWebSocketWriter(), upstream: createWebSocketWriter(key) }
  return {
    ports,
    *hear(from, chunk) {
      const onward = writers[from === 'client' ? 'upstream' : 'client']
      for (const heard of readers[from].read(chunk))
        switch (heard.kind) {
          case 'data': {
            const { channel, bytes } = heard
            const port = ports[channel >> 1]
            const isError = channel % 2 === 1
            if (port === undefined) throw broken(`channel ${channel} of ${ports.length} ports`)
            if (isError && from === 'client' && bytes.length > 0)
              throw broken('the client speaks on a channel for errors')
            const frames = channelMessage(onward, channel, bytes)
            yield isError
              ? { kind: 'other', onward: frames }
              : { kind: 'data', port, bytes: bytes.length, onward: frames }
            break
          }
          case 'end':
            throw broken('the end of a channel')
          case 'ping':
          case 'pong':
            yield { kind: 'other', onward: onward.control(heard.kind, heard.bytes) }
            break
          case 'close':
            yield { kind: 'close', onward: onward.close(heard.code, heard.reason) }
            break
          default:
            heard satisfies never
        }
    },
    bye: (to, words) => [
      ...(to === 'client' ? ports.flatMap((_port, index) => said(index, words)) : []),
      ...writers[to].close(normal, words),
    ],
  }

  function said(index: number, words: string): Buffer[] {
    return channelMessage(writers.client, index * 2 + 1, Buffer.from(words))
  }
}

function broken(what: string) {
  return hoopError('protocol-error', `not a port-forward that can be followed: ${what}`)
}
