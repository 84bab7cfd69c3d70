/** The two ends of a channel on which files are moved, in memory: what the gateway is given, and what the sides hold. */
import { type Duplex, duplexPair, type Writable } from 'node:stream'
import type { FileEnds, Way } from '../../src/gateway/protocols/ssh/channels/file-ends.ts'

export interface MemoryEnds {
  readonly ends: FileEnds
  /** What the client and the target hold in their hands. */
  readonly client: Duplex
  readonly target: Duplex
  /** Lines beside the protocol. */
  readonly told: string[]
}

export function createMemoryEnds(): MemoryEnds {
  const [client, nearClient] = duplexPair()
  const [target, nearTarget] = duplexPair()
  const told: string[] = []
  return {
    client,
    target,
    told,
    ends: {
      client: nearClient,
      target: nearTarget,
      toClient: wayInto(nearClient),
      toTarget: wayInto(nearTarget),
      tell: (lines) => told.push(...lines),
      endTarget: () => nearTarget.end(),
    },
  }
}

export function wayInto(stream: Writable): Way {
  return {
    write: (bytes) => stream.write(bytes),
    onDrain: (goOn) => void stream.once('drain', goOn),
    flushed: () =>
      new Promise((resolve) => {
        stream.write(Buffer.alloc(0), () => resolve())
      }),
  }
}

/** What a stream gives, to be taken in pieces of a known length. */
export interface Hearing {
  take(length: number): Promise<Buffer>
  /** Everything up to the end. */
  rest(): Promise<Buffer>
  /** What has arrived by now and was not taken. */
  readonly waiting: Buffer
}

export function hear(stream: Duplex): Hearing {
  let heard: Buffer = Buffer.alloc(0)
  let ended = false
  let stir: () => void = () => undefined
  stream.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk])
    stir()
  })
  stream.on('end', () => {
    ended = true
    stir()
  })
  return {
    async take(length) {
      while (heard.length < length) {
        if (ended) throw new Error(`${length} bytes are due, and the end has come after ${heard.toString('latin1')}`)
        await new Promise<void>((resolve) => {
          stir = resolve
        })
      }
      const taken = heard.subarray(0, length)
      heard = heard.subarray(length)
      return taken
    },
    async rest() {
      while (!ended)
        await new Promise<void>((resolve) => {
          stir = resolve
        })
      return heard
    },
    get waiting() {
      return heard
    },
  }
}
