/**
 * `portforward.k8s.io`: for each connection the client opens two SPDY streams with the headers `port` and `requestid`, one for
 * its errors and one for its data. Pure.
 */
import type { Carrier } from './carrier.ts'
import type { ForwardHeard, ForwardTongue } from './forward-tongue.ts'
import { broken } from './spdy/broken.ts'
import { createSpdyReader, createSpdyWriter, type SpdyFrame } from './spdy/frames.ts'
import type { Headers } from './spdy/header-block.ts'
import { createOpenStreams } from './spdy/streams.ts'
import type { End } from './tongue.ts'

interface ForwardStream {
  readonly port: number
  readonly type: 'data' | 'error'
  /** The target knows nothing of it. */
  refused: boolean
}

const nothing: Buffer = Buffer.alloc(0)

export function createSpdyForward(carrier: Carrier): ForwardTongue {
  const readers = { client: createSpdyReader(), upstream: createSpdyReader() }
  const writers = { client: createSpdyWriter(), upstream: createSpdyWriter() }
  const streams = createOpenStreams<ForwardStream>()
  const write = (to: End, ...frames: readonly SpdyFrame[]) =>
    carrier.wrap(
      to,
      frames.flatMap((frame) => writers[to](frame)),
    )

  function* understood(from: End, frame: SpdyFrame): Iterable<ForwardHeard> {
    const to = from === 'client' ? 'upstream' : 'client'
    switch (frame.kind) {
      case 'open':
        if (from !== 'client') throw broken('a stream that the target opens')
        yield opened(frame)
        return
      case 'ping':
      case 'goaway':
      case 'window':
      case 'settings':
        yield { kind: 'other', onward: write(to, frame) }
        return
      case 'headers':
        throw broken('headers in the middle of a stream')
      case 'reply':
      case 'data':
      case 'reset': {
        const stream = streams.get(frame.stream)
        if (stream === undefined) return
        if (frame.kind === 'reply' && from !== 'upstream') throw broken('a reply of the client')
        if (frame.kind !== 'reset' && !streams.isOpen(frame.stream, from))
          throw broken(`more on stream ${frame.stream}, which had ended`)
        if (frame.kind === 'data' && stream.type === 'error' && from === 'client' && frame.bytes.length > 0)
          throw broken('the client speaks on a stream for errors')
        if (!stream.refused) {
          const onward = write(to, frame)
          const isData = frame.kind === 'data' && stream.type === 'data'
          yield isData
            ? { kind: 'data', port: stream.port, bytes: frame.bytes.length, onward }
            : { kind: 'other', onward }
        }
        if (frame.kind === 'reset') streams.forget(frame.stream)
        else if (frame.fin) streams.end(frame.stream, from)
        return
      }
      default:
        frame satisfies never
    }
  }

  function opened(frame: SpdyFrame & { readonly kind: 'open' }): ForwardHeard {
    const stream: ForwardStream = { port: portOf(frame.headers), type: typeOf(frame.headers), refused: false }
    const id = frame.stream
    streams.open(frame, stream)
    return {
      kind: 'open',
      port: stream.port,
      go() {
        if (frame.fin) streams.end(id, 'client')
        return write('upstream', frame)
      },
      no(words) {
        stream.refused = true
        streams.end(id, 'upstream')
        if (frame.fin) streams.end(id, 'client')
        const bytes = stream.type === 'error' ? Buffer.from(words) : nothing
        const reply = { kind: 'reply', stream: id, headers: [], fin: false } as const
        return write('client', reply, { kind: 'data', stream: id, bytes, fin: true })
      },
    }
  }

  return {
    ports: [],
    *hear(from, chunk) {
      for (const carried of carrier.unwrap(from, chunk)) {
        if (carried.kind !== 'bytes') yield carried
        else for (const frame of readers[from].read(carried.bytes)) yield* understood(from, frame)
      }
    },
    bye(to, words) {
      const said = to === 'client' ? 'upstream' : 'client'
      const ends: SpdyFrame[] = []
      for (const [id, stream] of streams.all)
        if (!stream.refused && streams.isOpen(id, said))
          ends.push({
            kind: 'data',
            stream: id,
            bytes: stream.type === 'error' ? Buffer.from(words) : nothing,
            fin: true,
          })
      const last = [...streams.all.keys()].at(-1) ?? 0
      return [...write(to, ...ends, { kind: 'goaway', lastStream: last, status: 0 }), ...carrier.bye(to, words)]
    },
  }
}

function typeOf(headers: Headers): 'data' | 'error' {
  const type = only(headers, 'streamtype')
  if (type !== 'data' && type !== 'error') throw broken(`a stream for ${JSON.stringify(type)}`)
  return type
}

function portOf(headers: Headers): number {
  const text = only(headers, 'port') ?? ''
  const port = Number(text)
  if (!/^[1-9]\d{0,4}$/.test(text) || port > 65_535) throw broken(`port ${JSON.stringify(text)}`)
  return port
}

function only(headers: Headers, wanted: string): string | undefined {
  const values = headers.filter(([name]) => name === wanted).map(([, value]) => value)
  return values.length === 1 ? values[0] : undefined
}
