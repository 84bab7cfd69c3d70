/**
 * A small API server with one pod in each namespace, for streams: exec really runs the program (on this machine), attach joins
 * one that runs, port-forward really connects (to 127.0.0.1). It speaks v5 and v4.channel.k8s.io by the `ws` package, and SPDY/3.1,
 * also in a WebSocket, by our own frames, which real kubectls keep honest; and as much of discovery as kubectl needs to find a
 * pod. It knows no users, stores nothing, and answers 404 to all else.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import {
  createSpdyReader,
  createSpdyWriter,
  type SpdyFrame,
} from '../../src/gateway/protocols/kubernetes/streams/spdy/frames.ts'
import { createWebSocketReader, createWebSocketWriter } from '../../src/gateway/protocols/wire/websocket.ts'
import { openPty } from './pty.ts'

export interface Pods {
  readonly port: number
  /** `GET /api/v1/… websocket v5.channel.k8s.io`, in the order in which they came. */
  readonly asked: readonly string[]
  /** Upgraded connections that are open. */
  readonly open: number
  close(): Promise<void>
}

export interface PodsOptions {
  /** What of the carriers is spoken, as older servers did not all of them. */
  readonly speaks?: readonly ('websocket' | 'spdy')[]
  /** Subprotocols of WebSocket, best first. */
  readonly webSocketProtocols?: readonly string[]
  /** Of the programs that run. */
  readonly env?: Readonly<Record<string, string>>
}

/** The far end of one remote command, whichever carrier it comes over. */
interface Far {
  write(channel: 'stdout' | 'stderr' | 'error', bytes: Buffer): Promise<void>
  /** All has been said. */
  close(): void
}

interface Near {
  stdin(bytes: Buffer): void
  stdinEnd(): void
  resize(columns: number, rows: number): void
  gone(): void
}

const tunnel = 'SPDY/3.1+portforward.k8s.io'
const allWebSocketProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io', tunnel]
const webSocketGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

function switching(upgrade: string, ...lines: readonly string[]): string {
  const head = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${upgrade}`, ...lines]
  return `${head.join('\r\n')}\r\n\r\n`
}

export async function startPods({
  speaks = ['websocket', 'spdy'],
  webSocketProtocols = allWebSocketProtocols,
  env = {},
}: PodsOptions = {}): Promise<Pods> {
  const asked: string[] = []
  const sockets = new Set<Duplex>()
  const children: (() => void)[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const body = answerTo(new URL(request.url ?? '/', 'http://x').pathname)
    response.writeHead(body === undefined ? 404 : 200, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(body ?? notFound))
  })
  const webSockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => webSocketProtocols.find((one) => offered.has(one)) ?? false,
  })

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined)
    const upgrade = String(request.headers.upgrade).toLowerCase()
    const offer = request.headers['sec-websocket-protocol'] ?? request.headers['x-stream-protocol-version'] ?? ''
    asked.push(`${request.method} ${request.url} ${upgrade} ${offer}`)
    const carrier = upgrade === 'websocket' ? 'websocket' : 'spdy'
    const url = new URL(request.url ?? '/', 'http://x')
    const [, name, subresource] = /\/pods\/([^/]+)\/(exec|attach|portforward)$/.exec(url.pathname) ?? []
    if (name === undefined || subresource === undefined || !speaks.includes(carrier)) {
      const body = JSON.stringify({ ...notFound, code: 400, message: 'unable to upgrade: not spoken here' })
      const length = `Content-Length: ${body.length}`
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n${length}\r\nConnection: close\r\n\r\n${body}`,
      )
      return
    }
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    if (carrier === 'websocket' && offer === tunnel && webSocketProtocols.includes(tunnel)) {
      // `ws` takes a subprotocol with a slash in its name for a mistake.
      const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${webSocketGuid}`)
      socket.write(
        switching('websocket', `Sec-WebSocket-Accept: ${accept.digest('base64')}`, `Sec-WebSocket-Protocol: ${tunnel}`),
      )
      if (head.length > 0) socket.unshift(head)
      servePorts(overWebSocket(socket))
    } else if (carrier === 'websocket')
      webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on('error', () => undefined)
        if (subresource === 'portforward') serveChannelPorts(webSocket, url)
        else serveChannels(webSocket, url)
      })
    else {
      const protocol = String(offer).split(', ')[0] ?? ''
      socket.write(switching('SPDY/3.1', `X-Stream-Protocol-Version: ${protocol}`))
      if (head.length > 0) socket.unshift(head)
      if (subresource === 'portforward') servePorts(overSocket(socket))
      else serveSpdy(socket, url, protocol)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  /** Runs it; the Status is written when all it said has been. */
  function run(url: URL, far: Far): Near {
    const flag = (name: string) => /^(?:1|true)$/.test(url.searchParams.get(name) ?? '')
    const isAttach = url.pathname.endsWith('/attach')
    // What an attached program does is this server's own choice: it gives back what it is told.
    const argv = isAttach ? ['cat'] : url.searchParams.getAll('command')
    const [program = 'true', ...words] = argv
    const failed = (error: NodeJS.ErrnoException) =>
      far.write('error', status({ status: 'Failure', reason: 'InternalError', message: String(error.code) }))
    if (flag('tty')) {
      const pty = openPty(argv, { env: { PS1: '$ ', ...env }, opened: children })
      let writing = Promise.resolve()
      let size: readonly [number, number] | undefined
      pty.onOutput((bytes) => {
        // It has its own size from the start, and takes another one once it has begun.
        if (size !== undefined) pty.resize(...size)
        size = undefined
        writing = writing.then(() => far.write('stdout', bytes))
      })
      void pty.exit.then(async (code) => {
        await writing
        await far.write('error', statusOf(code ?? 137))
        far.close()
      })
      return {
        stdin: (bytes) => pty.write(bytes),
        stdinEnd: () => pty.write('\x04'),
        resize(columns, rows) {
          if (pty.shown === '') size = [columns, rows]
          else pty.resize(columns, rows)
        },
        gone: () => pty.write('\x04\x03'),
      }
    }
    const child = spawn(program, words, { env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', ...env } })
    children.push(() => void child.kill('SIGKILL'))
    child.stdin.on('error', () => undefined)
    if (!flag('stdin')) child.stdin.end()
    const pour = async (source: NodeJS.ReadableStream, channel: 'stdout' | 'stderr') => {
      for await (const bytes of source) await far.write(channel, bytes as Buffer)
    }
    void Promise.allSettled([pour(child.stdout, 'stdout'), pour(child.stderr, 'stderr'), once(child, 'close')]).then(
      async ([, , closed]) => {
        if (closed.status === 'rejected') await failed(closed.reason)
        else if (!isAttach) await far.write('error', statusOf(child.exitCode ?? 128 + 9))
        far.close()
      },
    )
    return {
      stdin: (bytes) => void child.stdin.write(bytes),
      stdinEnd: () => child.stdin.end(),
      resize: () => undefined,
      gone: () => void child.kill('SIGKILL'),
    }
  }

  function serveChannels(webSocket: WebSocket, url: URL): void {
    const numbers = { stdout: 1, stderr: 2, error: 3 }
    const near = run(url, {
      write: (channel, bytes) =>
        new Promise((resolve) => webSocket.send(Buffer.concat([Buffer.of(numbers[channel]), bytes]), () => resolve())),
      close: () => webSocket.close(1000),
    })
    // As kubelets say that they are there.
    webSocket.send(Buffer.of(1))
    webSocket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) return webSocket.close(1003)
      const bytes = data.subarray(1)
      if (data[0] === 0) near.stdin(bytes)
      else if (data[0] === 255 && bytes[0] === 0 && webSocket.protocol.startsWith('v5')) near.stdinEnd()
      else if (data[0] === 4) resize(near, bytes)
      else webSocket.close(1002)
    })
    webSocket.on('close', near.gone)
  }

  function serveChannelPorts(webSocket: WebSocket, url: URL): void {
    const ports = url.searchParams.getAll('ports').flatMap((text) => text.split(',').map(Number))
    const targets = ports.map((port, index) => {
      const announced = Buffer.alloc(2)
      announced.writeUInt16LE(port)
      for (const channel of [index * 2, index * 2 + 1]) webSocket.send(Buffer.concat([Buffer.of(channel), announced]))
      const target = connect(port, '127.0.0.1')
      target.on('data', (bytes) => webSocket.send(Buffer.concat([Buffer.of(index * 2), bytes])))
      target.on('error', (error) =>
        webSocket.send(Buffer.concat([Buffer.of(index * 2 + 1), Buffer.from(error.message)])),
      )
      return target
    })
    webSocket.on('message', (data: Buffer) => targets[(data[0] ?? 0) >> 1]?.write(data.subarray(1)))
    webSocket.on('close', () => destroyAll(targets))
  }

  function serveSpdy(socket: Duplex, url: URL, protocol: string): void {
    const connection = overSocket(socket)
    const streams = new Map<string, number>()
    const flag = (name: string) => (/^(?:1|true)$/.test(url.searchParams.get(name) ?? '') ? 1 : 0)
    const wanted = 1 + flag('stdin') + flag('stdout') + (flag('tty') ? 1 : flag('stderr'))
    let near: Near | undefined
    const say = async (channel: string, bytes: Buffer, fin = false) => {
      const stream = streams.get(channel)
      if (stream !== undefined) await connection.write({ kind: 'data', stream, bytes, fin })
    }
    const far: Far = {
      async write(channel, bytes) {
        if (channel !== 'error' || /^v[45]/.test(protocol)) return await say(channel, bytes)
        const { status, message } = JSON.parse(bytes.toString())
        if (status === 'Failure') await say(channel, Buffer.from(message))
      },
      close() {
        for (const channel of streams.keys()) void say(channel, Buffer.alloc(0), true)
        void connection.write({ kind: 'goaway', lastStream: 9, status: 0 }).then(() => socket.end())
      },
    }
    connection.onFrame = (frame) => {
      if (frame.kind === 'open') {
        const type = frame.headers.find(([name]) => name === 'streamtype')?.[1] ?? ''
        streams.set(type, frame.stream)
        void connection.write({ kind: 'reply', stream: frame.stream, headers: [], fin: false })
        // A terminal's size comes on a stream more.
        if (near === undefined && streams.size === wanted) near = run(url, far)
      } else if (frame.kind === 'data') {
        if (frame.stream === streams.get('stdin')) {
          if (frame.bytes.length > 0) near?.stdin(frame.bytes)
          if (frame.fin) near?.stdinEnd()
        } else if (frame.stream === streams.get('resize') && near !== undefined) resize(near, frame.bytes)
      } else if (frame.kind === 'ping' && frame.id % 2 === 1) void connection.write(frame)
    }
    socket.on('close', () => near?.gone())
  }

  function servePorts(connection: SpdyConnection): void {
    const errors = new Map<string, number>()
    const targets = new Map<number, Socket>()
    connection.onFrame = (frame) => {
      if (frame.kind === 'ping' && frame.id % 2 === 1) void connection.write(frame)
      if (frame.kind === 'open') {
        const [type, port, id] = ['streamtype', 'port', 'requestid'].map(
          (wanted) => frame.headers.find(([name]) => name === wanted)?.[1] ?? '',
        )
        void connection.write({ kind: 'reply', stream: frame.stream, headers: [], fin: false })
        if (type === 'error') return void errors.set(id ?? '', frame.stream)
        const error = errors.get(id ?? '') ?? 0
        const target = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
        targets.set(frame.stream, target)
        const end = (words: string) => {
          void connection.write({ kind: 'data', stream: error, bytes: Buffer.from(words), fin: true })
          void connection.write({ kind: 'data', stream: frame.stream, bytes: Buffer.alloc(0), fin: true })
        }
        target.on('data', (bytes) => {
          target.pause()
          void connection.write({ kind: 'data', stream: frame.stream, bytes, fin: false }).then(() => target.resume())
        })
        target.on('end', () => end(''))
        target.on('error', (reason) => end(`cannot connect: ${reason.message}`))
      } else if (frame.kind === 'data') {
        const target = targets.get(frame.stream)
        if (frame.bytes.length > 0 && target?.write(frame.bytes) === false) {
          connection.pause()
          target.once('drain', connection.resume)
        }
        if (frame.fin) target?.end()
      } else if (frame.kind === 'reset') targets.get(frame.stream)?.destroy()
    }
    connection.onClose = () => destroyAll(targets.values())
  }

  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    asked,
    get open() {
      return sockets.size
    },
    async close() {
      for (const end of children) end()
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function destroyAll(sockets: Iterable<Socket>): void {
  for (const socket of sockets) socket.destroy()
}

interface SpdyConnection {
  onFrame: (frame: SpdyFrame) => void
  onClose: () => void
  write(frame: SpdyFrame): Promise<void>
  pause(): void
  resume(): void
}

function spdyConnection(
  send: (bytes: Buffer, sent: () => void) => void,
  ends: Pick<SpdyConnection, 'pause' | 'resume'>,
): SpdyConnection & { take(bytes: Buffer): void } {
  const [reader, writer] = [createSpdyReader(), createSpdyWriter()]
  const connection = {
    onFrame: (_frame: SpdyFrame) => {},
    onClose: () => {},
    write: (frame: SpdyFrame) => new Promise<void>((resolve) => send(Buffer.concat(writer(frame)), () => resolve())),
    take(bytes: Buffer) {
      for (const frame of reader.read(bytes)) connection.onFrame(frame)
    },
    ...ends,
  }
  return connection
}

function overSocket(socket: Duplex): SpdyConnection {
  const connection = spdyConnection((bytes, sent) => socket.write(bytes, sent), {
    pause: () => socket.pause(),
    resume: () => void socket.resume(),
  })
  socket.on('data', connection.take)
  socket.on('end', () => socket.end())
  socket.on('close', () => connection.onClose())
  return connection
}

function overWebSocket(socket: Duplex): SpdyConnection {
  const [reader, writer] = [createWebSocketReader({ from: 'client' }), createWebSocketWriter()]
  const send = (frames: readonly Buffer[], sent?: () => void) => socket.write(Buffer.concat(frames), sent)
  const connection = spdyConnection((bytes, sent) => send(writer.message('binary', bytes), sent), {
    pause: () => socket.pause(),
    resume: () => void socket.resume(),
  })
  socket.on('data', (chunk: Buffer) => {
    for (const part of reader.read(chunk))
      if (part.kind === 'data') connection.take(part.bytes)
      else if (part.kind === 'ping') send(writer.control('pong', part.bytes))
      else if (part.kind === 'close') socket.end(Buffer.concat(writer.close(part.code)))
  })
  socket.on('end', () => socket.end())
  socket.on('close', () => connection.onClose())
  return connection
}

function resize(near: Near, bytes: Buffer): void {
  const { Width, Height } = JSON.parse(bytes.toString())
  near.resize(Width, Height)
}

function status(fields: Record<string, unknown>): Buffer {
  return Buffer.from(JSON.stringify({ metadata: {}, ...fields }))
}

function statusOf(code: number): Buffer {
  if (code === 0) return status({ status: 'Success' })
  const causes = [{ reason: 'ExitCode', message: String(code) }]
  const message = `command terminated with non-zero exit code: exit status ${code}`
  return status({ status: 'Failure', reason: 'NonZeroExitCode', message, details: { causes } })
}

const notFound = {
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  reason: 'NotFound',
  message: 'not here',
  code: 404,
}

function answerTo(path: string): unknown {
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] }
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: [] }
  if (path === '/api/v1') {
    const pod = { singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get', 'list'] }
    return {
      kind: 'APIResourceList',
      groupVersion: 'v1',
      resources: [
        { name: 'pods', ...pod, shortNames: ['po'] },
        ...['exec', 'attach', 'portforward'].map((name) => ({
          ...pod,
          name: `pods/${name}`,
          verbs: ['create', 'get'],
        })),
      ],
    }
  }
  const [, namespace, name] = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)$/.exec(path) ?? []
  if (name === undefined) return undefined
  const container = { name: 'app', image: 'none', stdin: true, tty: false }
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name, namespace, uid: createHash('sha256').update(name).digest('hex').slice(0, 32) },
    spec: { containers: [container] },
    status: { phase: 'Running', containerStatuses: [{ name: 'app', ready: true, state: { running: {} } }] },
  }
}
