/** Bodies of requests: read whole and decoded where they have to be known, or passed on part by part. */
import { promisify } from 'node:util'
import {
  type BrotliOptions,
  brotliDecompress,
  gunzip,
  inflate,
  type ZlibOptions,
  type ZstdOptions,
  zstdDecompress,
} from 'node:zlib'
import { reasonOf } from '../../../base/errors.ts'
import type { Fields } from './exchange.ts'
import { tokens } from './headers.ts'
import type { Incoming } from './incoming.ts'

/** The whole body; or, where it is longer than `most`, its beginning. */
export interface ReadBody {
  readonly bytes: Buffer
  readonly whole: boolean
}

export async function readBody(incoming: Incoming, most: number): Promise<ReadBody> {
  const parts: Buffer[] = []
  let length = 0
  for (;;) {
    const part = await incoming.part()
    if (part !== undefined) {
      parts.push(part)
      length += part.length
    }
    if (part === undefined || length > most)
      return {
        bytes: parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts),
        whole: part === undefined,
      }
  }
}

/** What was read already, then the rest as it arrives. */
export async function* restOf(
  incoming: Incoming,
  beginning: Buffer | undefined,
  heard: { sent(bytes: number): void; broke(error: unknown): void },
): AsyncGenerator<Uint8Array> {
  try {
    for (let part = beginning ?? (await incoming.part()); part !== undefined; part = await incoming.part()) {
      heard.sent(part.length)
      yield part
    }
  } catch (error) {
    heard.broke(error)
    throw error
  }
}

export type Decoded = { readonly body: Uint8Array } | { readonly unread: string }

/** Without Content-Encoding. `most`: of what comes out; a small body can unpack to a very large one. */
export async function decode(bytes: Buffer, fields: Fields, most: number): Promise<Decoded> {
  let body = bytes
  // The coding applied last is named last.
  for (const coding of tokens(fields, 'content-encoding').reverse()) {
    const decoder = decoders.get(coding)
    if (coding === 'identity') continue
    if (decoder === undefined) return { unread: `its Content-Encoding "${coding}" is not known` }
    try {
      const { buffer, used } = await decoder(body, most)
      // What is behind the end, some readers ignore and others take for the beginning of another part.
      if (used !== body.length) return { unread: `there is more behind the end of its ${coding} body` }
      body = buffer
    } catch (error) {
      return { unread: `its body is not ${coding}, or longer than ${most} bytes (${reasonOf(error)})` }
    }
  }
  return { body }
}

type Decoder = (bytes: Buffer, most: number) => Promise<{ buffer: Buffer; used: number }>

function decoder<Options>(
  unpack: (bytes: Buffer, options: Options, done: (error: Error | null, result: Buffer) => void) => void,
): Decoder {
  const run = promisify(unpack)
  return async (bytes, most) => {
    // With `info`, what is handed out is the buffer and the engine that made it; the types do not know that.
    const made = (await run(bytes, { maxOutputLength: most, info: true } as Options)) as unknown as {
      readonly buffer: Buffer
      readonly engine: { readonly bytesWritten: number }
    }
    return { buffer: made.buffer, used: made.engine.bytesWritten }
  }
}

const decoders: ReadonlyMap<string, Decoder> = new Map([
  ['gzip', decoder<ZlibOptions>(gunzip)],
  ['x-gzip', decoder<ZlibOptions>(gunzip)],
  ['deflate', decoder<ZlibOptions>(inflate)],
  ['br', decoder<BrotliOptions>(brotliDecompress)],
  ['zstd', decoder<ZstdOptions>(zstdDecompress)],
])
