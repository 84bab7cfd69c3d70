/**
 * One port for everything: HTTP/1.1 and HTTP/2 side by side. With TLS the client says which in the handshake (ALPN);
 * without, HTTP/2 begins with a fixed line (RFC 9113 section 3.4), so the first bytes tell.
 */
import { readFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { reasonOf } from '../../base/errors.ts'
import { isLoopback } from '../../base/loopback.ts'
import { hoopError } from '../../contract/error-codes.ts'
import type { Config } from '../config/schema.ts'

export interface Receivers {
  http1(socket: Socket): void
  http2(socket: Socket): void
}

const preface = Buffer.from('PRI * HTTP/2.0')
export const minVersion = 'TLSv1.2'
/** A connection that never says anything is let go. */
const firstBytesWithinMs = 60_000

/** A server that is not listening yet. Throws `config-invalid`. */
export async function createPort(listen: Config['listen'], receivers: Receivers): Promise<Server> {
  const sockets = { noDelay: true, keepAlive: true }
  if (listen.tls === undefined) {
    if (!isLoopback(listen.host))
      throw hoopError('config-invalid', `listen.host ${listen.host} is reachable from outside and needs TLS`, {
        hint: 'set listen.tls.cert and listen.tls.key, or listen on 127.0.0.1',
      })
    // As node's own HTTP server does: a client may have said all and still wait for its answer.
    return createServer({ ...sockets, allowHalfOpen: true }, (socket) => sortByPreface(socket, receivers))
  }
  const server = createTlsServer(
    {
      ...sockets,
      cert: await pem(listen.tls.cert, 'listen.tls.cert'),
      key: await pem(listen.tls.key, 'listen.tls.key'),
      minVersion,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: 15_000,
    },
    (socket) => {
      socket.on('error', noOneWaits)
      if (socket.alpnProtocol === 'h2') receivers.http2(endingWhole(socket))
      else receivers.http1(socket)
    },
  )
  // Scanners and clients that do not trust the certificate end here; that is theirs to tell.
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return server
}

function sortByPreface(socket: Socket, receivers: Receivers): void {
  let head = Buffer.alloc(0)
  const late = setTimeout(() => socket.destroy(), firstBytesWithinMs).unref()
  const gone = () => socket.destroy()
  socket.on('error', noOneWaits)
  socket.once('end', gone)
  socket.once('close', () => clearTimeout(late))
  socket.on('data', function look(chunk: Buffer): void {
    head = Buffer.concat([head, chunk])
    const begun = head.subarray(0, preface.length)
    const isHttp2 = preface.subarray(0, begun.length).equals(begun)
    if (isHttp2 && begun.length < preface.length) return
    clearTimeout(late)
    socket.off('data', look)
    socket.off('end', gone)
    socket.pause()
    socket.unshift(head)
    if (isHttp2) {
      receivers.http2(endingWhole(socket))
    } else {
      receivers.http1(socket)
      // Paused above, so that nothing gets lost between the two readers; HTTP/2 takes the handle over instead.
      socket.resume()
    }
  })
}

/** HTTP/2 half-closes streams, never the connection: kept half-open, it would wait for streams of a client that is gone. */
function endingWhole<S extends Socket>(socket: S): S {
  return socket.once('end', () => socket.destroy())
}

async function pem(file: string, key: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    throw hoopError('config-invalid', `${key}: cannot read ${file} (${reasonOf(error)})`, { cause: error })
  }
}

/** The socket's close says it all; without a listener its error would end the gateway. */
function noOneWaits(): void {}
