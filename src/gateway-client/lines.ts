/** NDJSON: bytes in any chunks → whole lines. A last line without its line feed was cut off, and is not handed out. */
import { hoopError } from '../contract/error-codes.ts'

/** A record may carry a 16 MiB statement, escaped; anything far beyond is not a line. */
const longestLine = 256 * 1024 * 1024

export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let parts: string[] = []
  let length = 0
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true })
    let from = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      parts.push(text.slice(from, end))
      yield parts.join('')
      parts = []
      length = 0
      from = end + 1
    }
    if (from < text.length) parts.push(text.slice(from))
    length += text.length - from
    if (length > longestLine) throw hoopError('gateway-error', 'the gateway sent a line without an end')
  }
}
