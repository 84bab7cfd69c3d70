/** A small API on node's own server: it logs what arrived, checks who asks, and answers by path. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'

export interface HttpApi {
  readonly port: number
  /** `GET /path?query`, and behind an empty line the body: of each request, as soon as it is whole. */
  readonly seen: readonly string[]
  readonly requests: readonly { readonly line: string; readonly headers: readonly string[] }[]
  close(): Promise<void>
}

export type Answering = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void

/** Without `answer` it says what it was asked. `user` and `password`: whom it lets in. */
export async function startHttpApi(
  answer: Answering = echo,
  login?: { readonly user: string; readonly password: string },
): Promise<HttpApi> {
  const seen: string[] = []
  const requests: { line: string; headers: string[] }[] = []
  const expected = login === undefined ? undefined : `Basic ${btoa(`${login.user}:${login.password}`)}`
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`
    requests.push({ line, headers: request.rawHeaders })
    const parts: Buffer[] = []
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts)
      if (expected !== undefined && request.headers.authorization !== expected) {
        response.writeHead(401, { 'content-length': '12' }).end('who are you?')
        return
      }
      seen.push(body.length === 0 ? line : `${line}\n\n${body.toString()}`)
      answer(request, response, body)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    seen,
    requests,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function echo(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  response.setHeader('content-type', 'text/plain')
  response.end(`${request.method} ${request.url} ${body.toString()}`)
}

/** So many bytes, as fast as they are taken. */
export function pourBytes(response: ServerResponse, bytes: number): void {
  const part = Buffer.alloc(64 * 1024, 'x')
  let left = bytes
  const pour = () => {
    while (left > 0 && !response.destroyed) {
      const next = left < part.length ? part.subarray(0, left) : part
      left -= next.length
      if (!response.write(next)) {
        response.once('drain', pour)
        return
      }
    }
    response.end()
  }
  pour()
}
