/** Which streams of a SPDY connection are open, and who has said all on them. Only clients open streams here. Pure. */
import type { End } from '../tongue.ts'
import { broken } from './broken.ts'
import type { SpdyFrame } from './frames.ts'

export interface OpenStreams<Stream> {
  /** Throws where it may not be opened. */
  open(frame: SpdyFrame & { readonly kind: 'open' }, stream: Stream): void
  /** undefined: it is over, and what comes late is of no use to anybody. Throws for what never was one. */
  get(id: number): Stream | undefined
  /** May this end still say something on it? */
  isOpen(id: number, by: End): boolean
  /** It will not any more. Throws where it had said so before. */
  end(id: number, by: End): void
  forget(id: number): void
  /** In the order in which they were opened. */
  readonly all: ReadonlyMap<number, Stream>
}

const mostStreams = 4000

export function createOpenStreams<Stream>(): OpenStreams<Stream> {
  const streams = new Map<number, Stream>()
  const ended = { client: new Set<number>(), upstream: new Set<number>() }
  let last = 0

  function forget(id: number): void {
    streams.delete(id)
    ended.client.delete(id)
    ended.upstream.delete(id)
  }

  return {
    open({ stream: id, associated, oneWay }, stream) {
      if (id % 2 === 0 || id <= last) throw broken(`stream ${id} cannot be opened behind ${last}`)
      if (associated !== 0 || oneWay) throw broken('a stream that depends on another, or is for one way only')
      if (streams.size >= mostStreams) throw broken('too many streams at a time')
      last = id
      streams.set(id, stream)
    },
    get(id) {
      if (id > last || id % 2 === 0) throw broken(`stream ${id} was never opened`)
      return streams.get(id)
    },
    isOpen: (id, by) => streams.has(id) && !ended[by].has(id),
    end(id, by) {
      if (!streams.has(id) || ended[by].has(id)) throw broken(`more on stream ${id}, which had ended`)
      ended[by].add(id)
      if (ended.client.has(id) && ended.upstream.has(id)) forget(id)
    },
    forget,
    all: streams,
  }
}
