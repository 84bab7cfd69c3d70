/**
 * What a local client is told when its connection cannot even be opened: an error in its own protocol, with the sentence,
 * instead of a socket that closes. Once a link is open it is the gateway that speaks.
 */
import type { Socket } from 'node:net'
import type { ProtocolName } from '../contract/command.ts'

export interface No {
  readonly message: string
  readonly hint: string | undefined
}

const speakers: Readonly<Record<ProtocolName, (socket: Socket, no: No) => void>> = {
  postgres: sayNoInPostgres,
  ssh: sayNoInSsh,
  http: sayNoInHttp,
  kubernetes: sayNoInKubernetes,
}

/** How long a client may take for the greeting after which it can be answered. */
const patienceMs = 5000

/** Tells the client and ends its connection. `socket` must not have been read from. */
export function sayNo(protocol: ProtocolName, socket: Socket, no: No): void {
  const late = setTimeout(() => socket.destroy(), patienceMs)
  socket.once('close', () => clearTimeout(late))
  speakers[protocol](socket, no)
}

const sslRequest = 80_877_103
const gssRequest = 80_877_104
const cancelRequest = 80_877_102
/** As PostgreSQL limits it: MAX_STARTUP_PACKET_LENGTH. */
const longestStartup = 10_000
/** Whoever sends more before its head ends is answered as it stands. */
const longestHead = 64 * 1024

/**
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP: a client shows an error only as the
 * answer to its startup message; as the answer to a request for encryption libpq hides the text.
 */
function sayNoInPostgres(socket: Socket, no: No): void {
  let got = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    got = Buffer.concat([got, chunk])
    while (got.length >= 8) {
      const length = got.readInt32BE(0)
      const code = got.readInt32BE(4)
      if (length < 8 || length > longestStartup || code === cancelRequest) return socket.destroy()
      if (got.length < length) return undefined
      got = got.subarray(length)
      if (code !== sslRequest && code !== gssRequest) return socket.end(postgresFatal(no))
      socket.write('N')
    }
    return undefined
  })
  socket.once('end', () => socket.end())
  socket.resume()
}

/** ErrorResponse, SQLSTATE 08004: the server rejected the establishment of the connection. */
function postgresFatal({ message, hint }: No): Buffer {
  const fields = [['S', 'FATAL'], ['V', 'FATAL'], ['C', '08004'], ['M', message], ...(hint ? [['H', hint]] : [])]
  const body = Buffer.from(`${fields.map(([type, text]) => `${type}${text?.replaceAll('\0', '')}\0`).join('')}\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

/**
 * A version string and, before any key exchange, SSH_MSG_DISCONNECT (RFC 4253 section 11.1), whose text OpenSSH prints:
 * `Received disconnect from 127.0.0.1 port 24799:11: no sign-in …`. Lines before the version string it shows with -v alone.
 */
function sayNoInSsh(socket: Socket, no: No): void {
  socket.once('end', () => socket.end())
  socket.resume()
  socket.end(Buffer.concat([Buffer.from('SSH-2.0-hoop\r\n'), sshDisconnect(no)]))
}

const msgDisconnect = 1
const byApplication = 11

/** A packet as it is before keys are known: RFC 4253 section 6. */
function sshDisconnect({ message, hint }: No): Buffer {
  const text = Buffer.from(`${message}${hint === undefined ? '' : `; ${hint}`}`)
  const payload = Buffer.alloc(1 + 4 + 4 + text.length + 4)
  payload.writeUInt8(msgDisconnect, 0)
  payload.writeUInt32BE(byApplication, 1)
  payload.writeUInt32BE(text.length, 5)
  text.copy(payload, 9)
  // Behind it the length of the language's name, which has none. The padding makes whole blocks of 8, and is 4 at least.
  const padding = 4 + ((8 - ((5 + payload.length + 4) % 8)) % 8)
  const head = Buffer.alloc(5)
  head.writeUInt32BE(1 + payload.length + padding, 0)
  head.writeUInt8(padding, 4)
  return Buffer.concat([head, payload, Buffer.alloc(padding)])
}

/** RFC 9457; the same members as those of the gateway's own refusals that can be known here. */
function sayNoInHttp(socket: Socket, { message, hint }: No): void {
  const problem = { type: 'about:blank', title: 'No connection to the gateway', status: 503, detail: message }
  answerRequest(socket, 'application/problem+json', { ...problem, ...(hint !== undefined && { next: hint }) })
}

/** What kubectl prints the message of: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
function sayNoInKubernetes(socket: Socket, { message, hint }: No): void {
  const sentence = hint === undefined ? message : `${message}; ${hint}`
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: sentence }
  answerRequest(socket, 'application/json', { ...status, reason: 'ServiceUnavailable', code: 503 })
}

/** A client shows an answer only to a request that it has sent: told once its head is there. */
function answerRequest(socket: Socket, type: string, body: object): void {
  let got = ''
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString('latin1')
    if (!got.includes('\r\n\r\n') && got.length < longestHead) return
    const bytes = Buffer.from(JSON.stringify(body))
    const head = [
      'HTTP/1.1 503 Service Unavailable',
      `Content-Type: ${type}`,
      `Content-Length: ${bytes.length}`,
      'Connection: close',
    ]
    socket.removeAllListeners('data')
    socket.resume()
    socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytes]))
  })
  socket.once('end', () => socket.end())
  socket.resume()
}
