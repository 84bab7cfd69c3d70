/** As much as is wanted of the beginning of something compressed, of which the end may be missing. */
import type { Transform } from 'node:stream'
import { decoderFor } from './decoding.ts'

export interface Beginning {
  readonly bytes: Buffer
  /** There would be more. */
  readonly isMore: boolean
  /** It ended as it should. */
  readonly isGood: boolean
}

export async function beginningOf(
  bytes: Buffer,
  codings: readonly Parameters<typeof decoderFor>[0][],
  limit: number,
): Promise<Beginning> {
  const decoders = codings.map(decoderFor)
  const last = decoders.reduce<Transform | undefined>((before, decoder) => {
    before?.on('error', (error) => decoder.destroy(error)).pipe(decoder)
    return decoder
  }, undefined)
  if (last === undefined) return { bytes: bytes.subarray(0, limit), isMore: bytes.length > limit, isGood: true }
  const pieces: Buffer[] = []
  let length = 0
  let isGood = true
  try {
    decoders[0]?.end(bytes)
    for await (const piece of last) {
      // Decoders give bytes.
      const part = piece as Buffer
      pieces.push(part)
      length += part.length
      if (length > limit) break
    }
  } catch {
    // It breaks off, or is not what it says: what came before is what there is.
    isGood = false
  } finally {
    for (const decoder of decoders) decoder.destroy()
  }
  return { bytes: Buffer.concat(pieces).subarray(0, limit), isMore: length > limit, isGood }
}
