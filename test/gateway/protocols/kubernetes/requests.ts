/** Requests as a dialect sees them, for tests without a connection. */
import type { Request } from '../../../../src/gateway/protocols/http/index.ts'

export interface Wanted {
  readonly type?: string
  readonly fields?: readonly (readonly [string, string])[]
  readonly upgrade?: string
}

/** `body`: bytes as they are, or a value that is written as JSON. */
export function requestFor(line: string, body?: unknown, { type, fields = [], upgrade }: Wanted = {}): Request {
  const [method = '', target = ''] = line.split(' ')
  const bytes = body === undefined ? undefined : body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body))
  const typed = bytes === undefined ? [] : [['Content-Type', type ?? 'application/json'] as const]
  return {
    head: {
      method,
      target,
      fields: [...typed, ...fields],
      body: bytes === undefined ? 'none' : { bytes: bytes.length },
      upgrade,
    },
    body: bytes ?? new Uint8Array(),
  }
}
