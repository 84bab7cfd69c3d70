/**
 * A web server of the tests that uses all of HTTP/1.1 and tells what it heard: streams both ways, trailers, events, WebSockets,
 * 100-continue. What a client gets here directly, it has to get through hoop.
 */
import { createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib'
import { type WebSocket, WebSocketServer } from 'ws'

export interface WebServer {
  readonly host: string
  readonly port: number
  readonly url: string
  /** Request lines in the order in which their heads came: `GET /bytes/10`. */
  readonly heard: readonly string[]
  /** Of the newest request for this path. */
  headersOf(path: string): NodeJS.Dict<string | string[]>
  /** Sends one event to everybody on /events. */
  event(data: string): void
  /** Sockets that clients have opened so far. */
  readonly connections: number
  stop(): Promise<void>
}

/** Byte at n of /bytes: the same for everybody who counts. */
export function bytesUpTo(length: number, from = 0): Buffer {
  const bytes = Buffer.allocUnsafe(length - from)
  for (let at = from; at < length; at++) bytes[at - from] = (at * 31 + (at >> 8) * 17 + (at >> 16)) & 0xff
  return bytes
}

export async function startWebServer(): Promise<WebServer> {
  const heard: string[] = []
  const headers = new Map<string, NodeJS.Dict<string | string[]>>()
  const listeners = new Set<ServerResponse>()
  let connections = 0

  const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 })
  const note = ({ method, url = '', headers: given }: IncomingMessage) => {
    heard.push(`${method} ${url}`)
    headers.set(url.split('?')[0] ?? '', given)
  }
  server.on('connection', () => {
    connections++
  })
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (request.url !== '/too-large') response.writeContinue()
    server.emit('request', request, response)
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    note(request)
    answer(request, response, listeners).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)))
    })
  })
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: ([first]) => first ?? false })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    note(request)
    if (request.url === '/socket')
      sockets.handleUpgrade(request, socket, head, (open) => sockets.emit('connection', open))
    else socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\nConnection: close\r\n\r\nno such\n')
  })
  sockets.on('connection', (socket: WebSocket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    host: '127.0.0.1',
    port,
    url: `http://127.0.0.1:${port}`,
    heard,
    headersOf: (path) => headers.get(path) ?? {},
    event: (data) => {
      for (const response of listeners) response.write(`data: ${data}\n\n`)
    },
    get connections() {
      return connections
    },
    async stop() {
      for (const socket of sockets.clients) socket.terminate()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, listeners: Set<ServerResponse>) {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const [, route = '', argument = ''] = pathname.split('/')
  switch (route) {
    case 'bytes':
      return sendBytes(request, response, Number(argument))
    case 'chunked':
      return pipeline(Readable.from(pieces(Number(argument))), response)
    case 'packed':
      return sendPacked(response, argument)
    case 'echo':
      response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'application/octet-stream' })
      return pipeline(request, response)
    case 'digest':
      return sendDigest(request, response)
    case 'too-large':
      // Without 100-continue: the answer comes before the body was asked for. What comes all the same is let go: a server that
      // closes instead resets the connection, and whoever was still sending may never read the answer.
      response.writeHead(413).end('too large\n')
      request.resume()
      return
    case 'events':
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }).flushHeaders()
      listeners.add(response)
      response.once('close', () => listeners.delete(response))
      return
    case 'trailers':
      response.writeHead(200, { trailer: 'X-Digest', 'transfer-encoding': 'chunked' })
      response.write('body\n')
      response.addTrailers({ 'X-Digest': 'of the body' })
      response.end()
      return
    case 'customers':
      return sendJson(response, 200, [{ id: 1, name: 'Ana', password: 'very-secret-1', email: 'ana@example.com' }])
    case 'moved':
      response.writeHead(302, { location: searchParams.get('to') ?? '/bytes/3' }).end()
      return
    case 'cookies':
      response.writeHead(200, { 'set-cookie': ['a=1; Path=/', 'b=2; HttpOnly'] }).end()
      return
    case 'nothing':
      response.writeHead(204).end()
      return
    default:
      return sendJson(response, route === 'missing' ? 404 : 200, {
        method: request.method,
        url: request.url,
        headers: request.headers,
      })
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function* pieces(length: number, from = 0): Generator<Buffer> {
  for (let at = from; at < length; at += 65_536) yield bytesUpTo(Math.min(at + 65_536, length), at)
}

async function sendBytes(request: IncomingMessage, response: ServerResponse, length: number): Promise<void> {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  const from = Number(first ?? 0)
  const to = last ? Math.min(Number(last) + 1, length) : length
  response.writeHead(first === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': to - from,
    'accept-ranges': 'bytes',
    ...(first !== undefined && { 'content-range': `bytes ${from}-${to - 1}/${length}` }),
  })
  if (request.method === 'HEAD') response.end()
  else await pipeline(Readable.from(pieces(to, from)), response)
}

async function sendPacked(response: ServerResponse, coding: string): Promise<void> {
  const made = { gzip: createGzip, br: createBrotliCompress, zstd: createZstdCompress }[coding]
  if (made === undefined) return sendJson(response, 400, { coding })
  response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': coding })
  await pipeline(Readable.from([Buffer.from('packed text\n'.repeat(1000))]), made(), response)
}

async function sendDigest(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash: Hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of request) {
    hash.update(chunk)
    bytes += chunk.length
  }
  sendJson(response, 200, { bytes, sha256: hash.digest('hex'), trailers: request.trailers })
}
