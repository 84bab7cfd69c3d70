/**
 * The relay of streams between a client and an API server, without the rest of the gateway: requests pass as they are, an
 * upgrade is relayed as a dialect's `upgraded` would. Judges what the test says.
 */
import { once } from 'node:events'
import { createServer, request as send, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Command } from '../../src/contract/command.ts'
import type { Refusal } from '../../src/contract/refusal.ts'
import type { Masks } from '../../src/gateway/checkpoint.ts'
import type { Fields, RequestHead } from '../../src/gateway/protocols/http/index.ts'
import type { StreamsAsked } from '../../src/gateway/protocols/kubernetes/streams/asked.ts'
import { followableOffer } from '../../src/gateway/protocols/kubernetes/streams/negotiation.ts'
import { relayStreams } from '../../src/gateway/protocols/kubernetes/streams/relay.ts'
import { systemClock } from '../../src/base/clock.ts'
import { createRecordingCheckpoint, type RecordingCheckpoint } from './conversation.ts'
import { plainShell } from './plain-shell.ts'
import { createMemoryRecordings, type MemoryRecordings } from './recordings.ts'

export interface StreamsDoor {
  readonly port: number
  readonly checkpoint: RecordingCheckpoint
  readonly recordings: MemoryRecordings
  /** What ended each relay; undefined for a clean end. */
  readonly ends: readonly unknown[]
  kill(reason: Refusal): void
  /** Resolves when so many relays have ended. */
  ended(count: number): Promise<void>
  close(): Promise<void>
}

export interface StreamsDoorOptions {
  readonly upstream: number
  readonly checkpoint?: RecordingCheckpoint
  readonly recordings?: MemoryRecordings
  readonly masks?: Masks
}

export async function openStreamsDoor({
  upstream: port,
  checkpoint = createRecordingCheckpoint(),
  recordings = createMemoryRecordings(),
  masks,
}: StreamsDoorOptions): Promise<StreamsDoor> {
  const ends: unknown[] = []
  let killer = new AbortController()
  let stir = () => {}
  const sockets = new Set<Duplex>()
  const outward = (request: IncomingMessage, fields: Fields) => ({
    host: '127.0.0.1',
    port,
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: fields.flat(),
  })
  const server = createServer((request, response) => {
    const onward = send(outward(request, fieldsOf(request.rawHeaders)), (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(response)
    })
    request.pipe(onward)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
  })
  server.on('upgrade', (request: IncomingMessage, client: Duplex, clientHead: Buffer) => {
    client.on('error', () => undefined)
    if (clientHead.length > 0) client.unshift(clientHead)
    const asked = askedBy(request)
    const head: RequestHead = {
      method: request.method ?? 'GET',
      target: request.url ?? '/',
      fields: fieldsOf(request.rawHeaders),
      body: 'none',
      upgrade: String(request.headers.upgrade).toLowerCase(),
    }
    const offer = followableOffer(head, asked.kind)
    if (offer === undefined) return void client.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
    const onward = send(outward(request, offer.fields))
    onward.on('error', () => client.destroy())
    onward.on('response', (answer) => {
      client.write(headOf(answer))
      answer.pipe(client)
    })
    onward.on('upgrade', (answer, upstream, upstreamHead) => {
      upstream.on('error', () => undefined)
      sockets.add(upstream)
      if (upstreamHead.length > 0) upstream.unshift(upstreamHead)
      client.write(headOf(answer))
      const { signal } = killer
      void (async () => {
        const command = commandOf(asked, request)
        const clearance = await checkpoint.clear([command])
        if ('refusal' in clearance) throw new Error(clearance.refusal.message)
        const [given] = clearance.permits
        if (given === undefined) throw new Error('no permit')
        // The permit of the checkpoint, as its identity settles it; masks are the test's.
        const permit = masks === undefined ? given : Object.assign(given, { masks, recordMasks: masks })
        await relayStreams(
          {
            cleared: { request: { head, body: undefined }, command, permit },
            answer: { status: 101, fields: fieldsOf(answer.rawHeaders) },
            client,
            upstream,
            conversation: { checkpoint, recordings, signal },
          },
          asked,
          { shell: plainShell, clock: systemClock },
        )
      })()
        .then(
          () => ends.push(undefined),
          (error: unknown) => ends.push(error),
        )
        .then(() => stir())
    })
    onward.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    checkpoint,
    recordings,
    ends,
    kill(reason) {
      killer.abort(reason)
      killer = new AbortController()
    },
    async ended(count) {
      while (ends.length < count) await new Promise<void>((resolve) => (stir = resolve))
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function askedBy(request: IncomingMessage): StreamsAsked {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x')
  const kind = /(exec|attach|portforward)$/.exec(pathname)?.[1]
  if (kind === 'portforward') return { kind, ports: searchParams.getAll('ports').map(Number) }
  if (kind !== 'exec' && kind !== 'attach') throw new Error(pathname)
  const flag = (name: string) => searchParams.get(name) === 'true' || searchParams.get(name) === '1'
  return { kind, argv: searchParams.getAll('command'), tty: flag('tty'), stdin: flag('stdin'), title: kind }
}

function commandOf(asked: StreamsAsked, { url }: IncomingMessage): Command {
  const [, namespace, name] = /namespaces\/([^/]+)\/pods\/([^/]+)/.exec(url ?? '') ?? []
  const verb = `create pods/${asked.kind}`
  const objects = [`${namespace}/${name}`]
  return {
    protocol: 'kubernetes',
    verb,
    objects,
    text: asked.kind,
    parameters: [],
    actions: [{ verb, kind: 'admin', objects, unbounded: false }],
    facts: { kind: 'admin', unbounded: false, dynamic: false, parsed: true, functions: [], reaches: ['program'] },
    fields: [{ at: 'namespace', value: namespace ?? '' }],
  }
}

function fieldsOf(raw: readonly string[]): Fields {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []))
}

function headOf(answer: IncomingMessage): string {
  const lines = fieldsOf(answer.rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n${lines.join('')}\r\n`
}
