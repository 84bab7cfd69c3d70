/** A client that does nothing but ask for the same thing again: what wrk does, and by the clock what it does not. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { now } from '../clock.ts'
import { startTicker } from '../driver/ticker.ts'
import { percentile } from '../statistics.ts'
import type { Load, Loaded } from './wrk.ts'

/** As fast as it is answered; where there is no wrk. */
export async function runLoad({ port, path, connections, seconds }: Load): Promise<Loaded> {
  const took: number[] = []
  const clients = await openAll(connections, port, path)
  const began = now()
  const until = began + seconds * 1000
  try {
    await Promise.all(
      clients.map(async (client) => {
        for (let sent = now(); sent < until; sent = now()) {
          await client.ask()
          took.push(now() - sent)
        }
      }),
    )
    return { perSecond: took.length / ((now() - began) / 1000), ...percentilesOf(took) }
  } finally {
    for (const client of clients) client.close()
  }
}

/**
 * Open loop: requests start by a clock, evenly spaced over the connections, and the time of each counts from when it should
 * have started. A stall therefore shows in all that it delayed (no coordinated omission).
 */
export async function runPaced({
  rate,
  ...load
}: Load & { readonly rate: number }): Promise<Omit<Loaded, 'perSecond'>> {
  const free = [...(await openAll(load.connections, load.port, load.path))]
  const clients = [...free]
  const waiting: number[] = []
  const took: number[] = []
  const total = Math.max(1, Math.round(rate * load.seconds))
  const ticker = startTicker({ everyMs: 1000 / rate, times: total })
  try {
    await new Promise<void>((resolve, reject) => {
      const start = (client: Client, intended: number) => {
        client
          .ask()
          .then(() => {
            took.push(now() - intended)
            if (took.length === total) resolve()
            const overdue = waiting.shift()
            if (overdue === undefined) free.push(client)
            else start(client, overdue)
          })
          .catch(reject)
      }
      ticker.onTick((intended) => {
        const client = free.shift()
        if (client === undefined) waiting.push(intended)
        else start(client, intended)
      })
      ticker.failed.catch(reject)
    })
  } finally {
    await ticker.stop()
    for (const client of clients) client.close()
  }
  return percentilesOf(took)
}

function percentilesOf(took: readonly number[]) {
  const sorted = Float64Array.from(took).sort()
  return { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) }
}

function openAll(connections: number, port: number, path: string): Promise<readonly Client[]> {
  return Promise.all(Array.from({ length: connections }, () => Client.open(port, path)))
}

class Client {
  readonly #socket: Socket
  readonly #request: Buffer
  #answer: Buffer = Buffer.alloc(0)
  #done: ReturnType<typeof Promise.withResolvers<void>> | undefined

  private constructor(socket: Socket, request: Buffer) {
    this.#socket = socket
    this.#request = request
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', (error) => this.#done?.reject(error))
    socket.on('close', () => this.#done?.reject(new Error('a connection was closed')))
  }

  static async open(port: number, path: string): Promise<Client> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new Client(socket, Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`))
  }

  ask(): Promise<void> {
    if (this.#socket.destroyed) return Promise.reject(new Error('a connection was closed'))
    this.#done = Promise.withResolvers()
    this.#socket.write(this.#request)
    return this.#done.promise
  }

  close(): void {
    this.#done = undefined
    this.#socket.destroy()
  }

  /** Whole answers of a known length, or in chunks of which the last is empty: more is not asked for here. */
  #take(chunk: Buffer): void {
    this.#answer = this.#answer.length === 0 ? chunk : Buffer.concat([this.#answer, chunk])
    const end = this.#answer.indexOf('\r\n\r\n')
    if (end === -1) return
    const head = this.#answer.toString('latin1', 0, end)
    if (!/^HTTP\/1\.1 200 /.test(head)) {
      this.#done?.reject(new Error(`the answer is ${head.split('\r\n', 1)[0]}`))
      return
    }
    const length = head.match(/^content-length: *(\d+)$/im)?.[1]
    const isWhole =
      length === undefined
        ? this.#answer.subarray(-7).toString('latin1') === '\r\n0\r\n\r\n'
        : this.#answer.length >= end + 4 + Number(length)
    if (!isWhole) return
    this.#answer = Buffer.alloc(0)
    this.#done?.resolve()
  }
}
