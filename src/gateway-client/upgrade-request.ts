/**
 * One request to upgrade a socket, and its answer (RFC 9110 section 7.8). Written by hand because loading node:http takes
 * longer than starting Node, and `hoop proxy` does this before every `ssh`.
 */
import type { Socket } from 'node:net'

export interface UpgradeRequest {
  readonly host: string
  readonly path: string
  readonly protocol: string
}

export interface UpgradeAnswer {
  readonly status: number
  /** The upgrade was made: what came behind the answer. Otherwise the answer's text, as far as its length is said. */
  readonly rest: Buffer
}

/** More than any honest answer's head, and more than an error's text needs. */
const longest = 64 * 1024

/** The socket is left paused. Rejects when it ends before it has answered, or answers something else than HTTP. */
export function askUpgrade(socket: Socket, { host, path, protocol }: UpgradeRequest): Promise<UpgradeAnswer> {
  return new Promise((resolve, reject) => {
    let got = Buffer.alloc(0)
    const leave = () => {
      socket.off('data', hear)
      socket.off('error', fail)
      socket.off('close', gone)
      socket.pause()
    }
    const fail = (error: Error) => {
      leave()
      reject(error)
    }
    const gone = () => fail(new Error('connection closed by the other side'))
    const hear = (chunk: Buffer) => {
      got = Buffer.concat([got, chunk])
      try {
        const answer = answerIn(got)
        if (answer === undefined) return
        leave()
        resolve(answer)
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)))
      }
    }
    socket.on('data', hear)
    socket.once('error', fail)
    socket.once('close', gone)
    socket.resume()
    socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: Upgrade\r\nupgrade: ${protocol}\r\n\r\n`)
  })
}

/** undefined: there is more to come. */
export function answerIn(bytes: Buffer): UpgradeAnswer | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) {
    if (bytes.length > longest) throw new Error(`the head of its answer is longer than ${longest} bytes`)
    return undefined
  }
  const head = bytes.toString('latin1', 0, end)
  const rest = bytes.subarray(end + 4)
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |\r|$)/.exec(head)?.[1])
  if (Number.isNaN(status)) throw new Error('it does not answer as HTTP does')
  if (status === 101) return { status, rest }
  // 102, 103: what counts comes behind it.
  if (status < 200) return answerIn(rest)
  const length = Math.min(Number(/\r\ncontent-length:[ \t]*(\d+)/i.exec(head)?.[1] ?? 0), longest)
  return rest.length < length ? undefined : { status, rest: rest.subarray(0, length) }
}
