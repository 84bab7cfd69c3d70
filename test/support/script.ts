/**
 * A conversation as a script: the client says, the upstream hears, the upstream says, the client hears. Both ends are real
 * sockets; between them is the protocol under test. What is heard is compared byte for byte.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface End {
  readonly socket: Socket
  say(...bytes: readonly Buffer[]): void
  /** Exactly these bytes come next. */
  hears(...bytes: readonly Buffer[]): Promise<void>
  /** The next bytes, as many as asked for. */
  take(length: number): Promise<Buffer>
  /** The other side says no more, and has said nothing that was not heard. */
  hearsEnd(): Promise<void>
  /** Nothing has arrived that was not heard. */
  readonly unheard: Buffer
}

/** How long silence is taken for a failure. */
const patienceMs = 5000

export function createEnd(name: string, socket: Socket): End {
  let heard: Buffer = Buffer.alloc(0)
  let ended = false
  let stir: () => void = () => undefined
  socket.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk])
    stir()
  })
  for (const event of ['end', 'close', 'error']) {
    socket.on(event, () => {
      ended = true
      stir()
    })
  }

  async function until(done: () => boolean, what: () => string): Promise<void> {
    const late = Date.now() + patienceMs
    while (!done()) {
      if (ended || Date.now() >= late) throw new Error(`${name} ${ended ? 'was cut off' : 'waited in vain'}: ${what()}`)
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        stir = resolve
        timer = setTimeout(resolve, patienceMs)
      })
      clearTimeout(timer)
    }
  }
  async function take(length: number): Promise<Buffer> {
    await until(
      () => heard.length >= length,
      () => `${length} bytes are due, heard ${JSON.stringify(heard.toString('latin1'))}`,
    )
    const taken = heard.subarray(0, length)
    heard = heard.subarray(length)
    return taken
  }

  return {
    socket,
    say: (...bytes) => void socket.write(Buffer.concat(bytes)),
    take,
    async hears(...bytes) {
      const expected = Buffer.concat(bytes)
      const actual = await take(expected.length)
      if (!actual.equals(expected)) {
        const shown = [expected, actual].map((part) => JSON.stringify(part.toString('latin1')))
        throw new Error(`${name} should hear\n  ${shown[0]}\nand heard\n  ${shown[1]}`)
      }
    },
    async hearsEnd() {
      await until(
        () => ended,
        () => 'the end is due',
      )
      if (heard.length > 0) throw new Error(`${name} heard more: ${JSON.stringify(heard.toString('latin1'))}`)
      socket.end()
    },
    get unheard() {
      return heard
    },
  }
}

/** A server on a free port that hands over each connection as an end. */
export async function listenAsUpstream(): Promise<{
  readonly port: number
  next(): Promise<End>
  close(): Promise<void>
}> {
  const waiting: Socket[] = []
  let stir: () => void = () => undefined
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => undefined)
    sockets.add(socket)
    waiting.push(socket)
    stir()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    async next() {
      for (;;) {
        const socket = waiting.shift()
        if (socket !== undefined) return createEnd('the upstream', socket)
        await new Promise<void>((resolve) => {
          stir = resolve
        })
      }
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

export async function connectAsClient(port: number): Promise<End> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return createEnd('the client', socket)
}
