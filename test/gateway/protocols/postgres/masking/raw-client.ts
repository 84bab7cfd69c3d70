/** A client that keeps every byte it receives: a leak test must see what drivers would drop or decode. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Answer {
  /** Everything that came, up to and including ReadyForQuery. */
  readonly bytes: Buffer
  readonly frames: readonly Buffer[]
  /** SQLSTATE of the first error, if any. */
  readonly error: string | undefined
  readonly rows: readonly (readonly (Buffer | null)[])[]
}

export interface RawClient {
  /** The simple protocol. */
  simple(sql: string): Promise<Answer>
  /** Parse, Bind, Describe, Execute, Sync. */
  extended(
    sql: string,
    options?: { binary?: boolean; describe?: boolean; parameters?: readonly string[] },
  ): Promise<Answer>
  /** Whole frames; answers until as many ReadyForQuery have come. */
  send(bytes: Buffer, readies?: number): Promise<Answer>
  close(): Promise<void>
}

export async function connectRaw(
  port: number,
  database: string,
  options: Record<string, string> = {},
): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  const reader = createReader(socket)
  const pairs = Object.entries({ user: 'x', database, ...options }).flat()
  const body = Buffer.concat([int32(196_608), ...pairs.map(cstring), Buffer.alloc(1)])
  socket.write(Buffer.concat([int32(body.length + 4), body]))
  await reader(1)

  async function send(bytes: Buffer, readies = 1): Promise<Answer> {
    socket.write(bytes)
    return answer(await reader(readies))
  }
  return {
    send,
    simple: (sql) => send(frame('Q', cstring(sql))),
    extended(sql, { binary = false, describe = true, parameters = [] } = {}) {
      const values = parameters.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)])
      return send(
        Buffer.concat([
          frame('P', cstring(''), cstring(sql), int16(0)),
          frame(
            'B',
            cstring(''),
            cstring(''),
            int16(0),
            int16(parameters.length),
            ...values,
            int16(1),
            int16(binary ? 1 : 0),
          ),
          ...(describe ? [frame('D', Buffer.from('P'), cstring(''))] : []),
          frame('E', cstring(''), int32(0)),
          frame('S'),
        ]),
      )
    },
    async close() {
      socket.end(frame('X'))
      if (!socket.destroyed) await once(socket, 'close')
    },
  }
}

/** Reads frames until the n-th ReadyForQuery. */
function createReader(socket: Socket): (readies: number) => Promise<readonly Buffer[]> {
  let held = Buffer.alloc(0)
  let wake: (() => void) | undefined
  let over = false
  socket.on('data', (chunk) => {
    held = Buffer.concat([held, chunk])
    wake?.()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    over = true
    wake?.()
  })
  return async (readies) => {
    const frames: Buffer[] = []
    for (let left = readies; left > 0; ) {
      const length = held.length < 5 ? undefined : held.readInt32BE(1) + 1
      if (length === undefined || held.length < length) {
        if (over) throw new Error(`the connection ended: ${Buffer.concat(frames).toString('latin1')}`)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      const whole = held.subarray(0, length)
      held = held.subarray(length)
      frames.push(whole)
      if (whole[0] === 0x5a) left--
    }
    return frames
  }
}

function answer(frames: readonly Buffer[]): Answer {
  const error = frames.find((one) => one[0] === 0x45)
  return {
    bytes: Buffer.concat(frames),
    frames,
    error: error === undefined ? undefined : /\0C(\w{5})\0/.exec(error.toString('latin1'))?.[1],
    rows: frames.filter((one) => one[0] === 0x44).map(values),
  }
}

function values(row: Buffer): (Buffer | null)[] {
  const found: (Buffer | null)[] = []
  for (let at = 7; at < row.length; ) {
    const length = row.readInt32BE(at)
    found.push(length < 0 ? null : row.subarray(at + 4, at + 4 + length))
    at += 4 + Math.max(length, 0)
  }
  return found
}

export function frame(type: string, ...body: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(body)
  return Buffer.concat([Buffer.from(type), int32(whole.length + 4), whole])
}

export function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`)
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
