/** A remote command over SPDY/3.1: one stream for each channel, named by its header `streamtype`. Pure. */
import { broken } from './spdy/broken.ts'
import { createSpdyReader, createSpdyWriter, type SpdyFrame } from './spdy/frames.ts'
import { createOpenStreams } from './spdy/streams.ts'
import { type Channel, type End, type Heard, speaker, type Tongue } from './tongue.ts'

const nothing: Buffer = Buffer.alloc(0)

/** `error`: since v4.channel.k8s.io it is a Status. */
export function createSpdyTongue(error: Tongue['error']): Tongue {
  const readers = { client: createSpdyReader(), upstream: createSpdyReader() }
  const writers = { client: createSpdyWriter(), upstream: createSpdyWriter() }
  const streams = createOpenStreams<Channel>()
  const ids = new Map<Channel, number>()

  function* understood(from: End, frame: SpdyFrame): Iterable<Heard> {
    const write = writers[from === 'client' ? 'upstream' : 'client']
    switch (frame.kind) {
      case 'open': {
        if (from !== 'client') throw broken('a stream that the target opens')
        const channel = channelOf(frame)
        if (ids.has(channel)) throw broken(`a second stream for ${channel}`)
        streams.open(frame, channel)
        ids.set(channel, frame.stream)
        const reply = { kind: 'reply', stream: frame.stream, headers: [], fin: false } as const
        yield { kind: 'other', onward: write(frame), instead: () => writers.client(reply) }
        if (frame.fin) streams.end(frame.stream, from)
        return
      }
      case 'reply': {
        const channel = streams.get(frame.stream)
        if (from !== 'upstream') throw broken('a reply of the client')
        if (channel === undefined) return
        yield { kind: 'other', onward: write({ ...frame, fin: false }) }
        if (frame.fin) yield* ending(frame.stream, channel, from)
        return
      }
      case 'data': {
        const { stream: id, bytes, fin } = frame
        const channel = streams.get(id)
        if (channel === undefined) return
        if (!streams.isOpen(id, from)) throw broken(`more on stream ${id}, which had ended`)
        if (speaker[channel] !== from && bytes.length > 0) throw broken(`the ${from} speaks on ${channel}`)
        if (bytes.length > 0) yield { kind: 'data', channel, bytes }
        if (fin) yield* ending(id, channel, from)
        return
      }
      case 'reset': {
        const channel = streams.get(frame.stream)
        if (channel === undefined) return
        yield { kind: 'end', channel, onward: write(frame) }
        streams.forget(frame.stream)
        return
      }
      case 'ping':
      case 'goaway':
      case 'window':
      case 'settings':
        yield { kind: 'other', onward: write(frame) }
        return
      case 'headers':
        throw broken('headers in the middle of a stream')
      default:
        frame satisfies never
    }
  }

  /** Whoever hears it may still have something to say on it before. */
  function* ending(id: number, channel: Channel, by: End): Iterable<Heard> {
    const write = writers[by === 'client' ? 'upstream' : 'client']
    yield { kind: 'end', channel, onward: write({ kind: 'data', stream: id, bytes: nothing, fin: true }) }
    streams.end(id, by)
  }

  return {
    *hear(from, chunk) {
      for (const frame of readers[from].read(chunk)) yield* understood(from, frame)
    },
    isOpen: (channel) => ids.has(channel),
    say(to, channel, bytes) {
      const id = ids.get(channel)
      if (id === undefined || !streams.all.has(id)) return []
      return writers[to]({ kind: 'data', stream: id, bytes, fin: false })
    },
    bye(to) {
      const write = writers[to]
      const said: End = to === 'client' ? 'upstream' : 'client'
      const open = [...streams.all.keys()].filter((id) => streams.isOpen(id, said))
      return [
        ...open.flatMap((stream) => write({ kind: 'data', stream, bytes: nothing, fin: true })),
        ...write({ kind: 'goaway', lastStream: Math.max(0, ...ids.values()), status: 0 }),
      ]
    },
    error,
  }
}

function channelOf({ headers }: SpdyFrame & { readonly kind: 'open' }): Channel {
  const types = headers.filter(([name]) => name === 'streamtype').map(([, value]) => value)
  const channel = Object.keys(speaker).find((known) => known === types[0]) as Channel | undefined
  if (channel === undefined || types.length !== 1) throw broken(`a stream for ${JSON.stringify(types)}`)
  return channel
}
