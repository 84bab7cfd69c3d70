/** One end of an upgraded link, by hand: says frames as they are told, and tells the frames it hears. */
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { createFrameReader, type FrameType, headerBytes, writeHeader } from '../../src/base/link/frames.ts'
import { linkPaths as paths, linkProtocol } from '../../src/contract/link.ts'

export interface Frame {
  readonly type: FrameType
  readonly stream: number
  readonly payload: Buffer
}

export interface LinkPeer {
  readonly socket: Socket
  say(type: FrameType, stream: number, payload?: Buffer | string): void
  /** The next frame; undefined once the other end has closed. */
  hear(): Promise<Frame | undefined>
  /** Frames until one of this type came. */
  hearUntil(type: FrameType): Promise<Frame>
}

/** A link to a gateway, or its answer when that does not upgrade. */
export async function linkTo(
  port: number,
  headers: Record<string, string> = {},
  path: string = paths.links,
): Promise<LinkPeer | IncomingMessage> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const answer = await new Promise<IncomingMessage | Buffer>((resolve, reject) => {
    httpRequest({
      createConnection: () => socket,
      path,
      headers: { host: `127.0.0.1:${port}`, connection: 'Upgrade', upgrade: linkProtocol, ...headers },
    })
      .once('upgrade', (_response, _socket, head) => resolve(head))
      .once('response', resolve)
      .on('error', reject)
      .end()
  })
  return Buffer.isBuffer(answer) ? linkPeer(socket, answer) : answer
}

export function linkPeer(socket: Socket, head: Buffer = Buffer.alloc(0)): LinkPeer {
  const heard: Frame[] = []
  let over = false
  let wake = () => {}
  const add = (frame: Frame) => {
    heard.push(frame)
    wake()
  }
  const read = createFrameReader({
    data: (stream, payload) => add({ type: 'data', stream, payload }),
    frame: (type, stream, payload) => add({ type, stream, payload: Buffer.from(payload) }),
  })
  const end = () => {
    over = true
    wake()
  }
  socket.on('error', () => {})
  socket.on('data', read)
  socket.once('end', end)
  socket.once('close', end)
  if (head.length > 0) read(head)

  async function hear(): Promise<Frame | undefined> {
    while (heard.length === 0 && !over)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    return heard.shift()
  }

  return {
    socket,
    say: (type, stream, payload = '') => void socket.write(frameOf(type, stream, payload)),
    hear,
    async hearUntil(type) {
      for (let frame = await hear(); frame !== undefined; frame = await hear()) if (frame.type === type) return frame
      throw new Error(`the other end closed before it said "${type}"`)
    },
  }
}

export function frameOf(type: FrameType, stream: number, payload: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(payload)
  const head = Buffer.alloc(headerBytes)
  writeHeader(head, 0, type, stream, bytes.length)
  return Buffer.concat([head, bytes])
}
