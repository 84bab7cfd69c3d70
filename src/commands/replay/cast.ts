/** A recording, fetched whole: it is looked at forwards and backwards. */
import { createHash } from 'node:crypto'
import type { Recording } from '../../contract/api.ts'
import { type CastEvent, type CastHeader, createEventReader, parseHeader } from '../../contract/asciicast.ts'
import { hoopError } from '../../contract/error-codes.ts'
import type { GatewayClient } from '../../gateway-client/client.ts'
import { linesOf } from '../../gateway-client/lines.ts'

export interface Cast {
  readonly header: CastHeader
  readonly events: readonly CastEvent[]
  /** Of the bytes as they came. */
  readonly sha256: string
}

export type LoadCast = (recording: Pick<Recording, 'command'>) => Promise<Cast>

/** Remembers the last one: searching, seeking and playing look at the same. */
export function castsOf(client: GatewayClient, session: string, signal: AbortSignal): LoadCast {
  let last: { readonly command: string; readonly cast: Cast } | undefined
  return async ({ command }) => {
    if (last?.command !== command) last = { command, cast: await load(client, session, command, signal) }
    return last.cast
  }
}

async function load(client: GatewayClient, session: string, command: string, signal: AbortSignal): Promise<Cast> {
  const hash = createHash('sha256')
  const read = createEventReader()
  const events: CastEvent[] = []
  let header: CastHeader | undefined
  for await (const line of linesOf(hashed(client.recording(session, command, signal), hash))) {
    if (header === undefined) {
      header = parseHeader(line)
      if (header === undefined) throw hoopError('gateway-error', `the recording of ${command} is not an asciicast v3`)
      continue
    }
    // Comments, and kinds of events that a later version may have.
    const event = read(line)
    if (event !== undefined) events.push(event)
  }
  if (header === undefined) throw hoopError('gateway-error', `the recording of ${command} is empty`)
  return { header, events, sha256: hash.digest('hex') }
}

async function* hashed(
  bytes: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    hash.update(chunk)
    yield chunk
  }
}
