/**
 * As much of PostgreSQL's protocol as a driver needs: messages to send, and a walk over the frames that come back. The
 * walk looks at headers only, so that its own cost stays small beside what it measures. Pure.
 */

export const types = {
  authentication: 0x52,
  copyInResponse: 0x47,
  error: 0x45,
  readyForQuery: 0x5a,
} as const

const headerLength = 5
/** Whose content somebody reads. */
const wanted: ReadonlySet<number> = new Set([types.authentication, types.error])
const told: ReadonlySet<number> = new Set(Object.values(types))

/** Told of the frames in `types` once they are there as a whole; the body is empty where nobody reads it. */
export type OnFrame = (type: number, body: Buffer) => void

export function createWalk(onFrame: OnFrame): (chunk: Buffer) => void {
  const header = Buffer.alloc(headerLength)
  let held = 0
  let type = 0
  let left = 0
  let body: Buffer[] | undefined

  function begin(bytes: Buffer, at: number): void {
    type = bytes[at] ?? 0
    left = bytes.readInt32BE(at + 1) - 4
    if (left < 0) throw new Error(`a message claims to be ${left + 4} bytes long`)
    body = wanted.has(type) ? [] : undefined
    if (left === 0) end()
  }

  function end(): void {
    if (told.has(type)) onFrame(type, body === undefined ? empty : Buffer.concat(body))
  }

  return (chunk) => {
    let at = 0
    while (at < chunk.length) {
      if (left > 0) {
        const step = Math.min(left, chunk.length - at)
        // A copy: the buffer that a socket reads into may be used again.
        body?.push(Buffer.from(chunk.subarray(at, at + step)))
        at += step
        left -= step
        if (left === 0) end()
        continue
      }
      if (held === 0 && chunk.length - at >= headerLength) {
        begin(chunk, at)
        at += headerLength
        continue
      }
      const step = Math.min(headerLength - held, chunk.length - at)
      chunk.copy(header, held, at, at + step)
      held += step
      at += step
      if (held === headerLength) {
        held = 0
        begin(header, 0)
      }
    }
  }
}

const empty = Buffer.alloc(0)

export function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(parameters).flat()
  const body = Buffer.concat([int32(196_608), ...text.map(cString), Buffer.from([0])])
  return Buffer.concat([int32(body.length + 4), body])
}

export function saslFirst(mechanism: string, data: string): Buffer {
  return message('p', Buffer.concat([cString(mechanism), int32(Buffer.byteLength(data)), Buffer.from(data)]))
}

export function saslNext(data: string): Buffer {
  return message('p', Buffer.from(data))
}

export function query(text: string): Buffer {
  return message('Q', cString(text))
}

export function parse(name: string, text: string): Buffer {
  return message('P', Buffer.concat([cString(name), cString(text), int16(0)]))
}

/** Parameters and results as text, to the unnamed portal. */
export function bind(name: string, parameters: readonly string[]): Buffer {
  const values = parameters.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)])
  return message(
    'B',
    Buffer.concat([cString(''), cString(name), int16(0), int16(parameters.length), ...values, int16(0)]),
  )
}

export const describePortal = message('D', Buffer.concat([Buffer.from('P'), cString('')]))
export const execute = message('E', Buffer.concat([cString(''), int32(0)]))
export const sync = message('S', Buffer.alloc(0))
export const copyDone = message('c', Buffer.alloc(0))
export const terminate = message('X', Buffer.alloc(0))

export function copyData(bytes: Buffer): Buffer {
  return message('d', bytes)
}

/** The server's own words out of an ErrorResponse. */
export function errorIn(body: Buffer): string {
  const fields = body.toString('utf8').split('\0')
  const field = (letter: string) => fields.find((one) => one.startsWith(letter))?.slice(1)
  return [field('M') ?? 'an error without words', field('D'), field('H')]
    .filter((said) => said !== undefined)
    .join('; ')
}

function message(letter: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(letter), int32(body.length + 4), body])
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`)
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
