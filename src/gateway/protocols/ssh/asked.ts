/**
 * What a client asks for, as it comes: a program, a shell or a subsystem on a session channel, a forward, a port to listen
 * on. Kept in order until somebody is there to take it, because clients ask before the target has been reached.
 */
import type { Connection, PseudoTtyInfo, ServerChannel, Session, TcpipBindInfo, TcpipRequestInfo } from 'ssh2'
import { answerCloseLater, rejectWith } from './inside.ts'

export interface Size {
  readonly cols: number
  readonly rows: number
  readonly width: number
  readonly height: number
}

/** A session channel on which something was asked for; accepted already, its input waits in it. */
export interface SessionAsked {
  readonly kind: 'exec' | 'shell' | 'subsystem'
  /** The command line or the subsystem's name; empty for a shell. */
  readonly text: string
  readonly channel: ServerChannel
  /** As it was asked for; its size is the latest one known. */
  readonly pty: PseudoTtyInfo | undefined
  readonly env: ReadonlyMap<string, string>
  /** Aborted when the client has closed the channel or is gone. */
  readonly gone: AbortSignal
  /** What comes later is told to whoever set these. */
  onResize: ((size: Size) => void) | undefined
  onSignal: ((name: string) => void) | undefined
  /**
   * Its output has ended and the program goes on. A client whose own input has ended closes the channel then, and waits for the
   * exit status all the same: that is no reason to go.
   */
  isSilent: boolean
}

export interface ForwardAsked {
  readonly kind: 'forward'
  readonly to: TcpipRequestInfo
  accept(): ServerChannel
  /** The client prints the sentence; `reason` is one of `openFailures`. */
  reject(reason: number, sentence: string): void
}

export interface ListenAsked {
  readonly kind: 'listen' | 'unlisten'
  readonly at: TcpipBindInfo
  accept(port?: number): void
  reject(): void
}

export type Asked = SessionAsked | ForwardAsked | ListenAsked

export interface AskedQueue {
  /** Takes what has come and what will come. Given anew: takes over. */
  take(handler: (asked: Asked) => void): void
}

/** What nobody listens for here, ssh2 refuses by itself: agent forwarding, X11, sockets of the file system. */
export function listenForAsked(connection: Connection, gone: AbortSignal): AskedQueue {
  const waiting: Asked[] = []
  let handler: ((asked: Asked) => void) | undefined
  const push = (asked: Asked) => {
    if (handler === undefined) waiting.push(asked)
    else handler(asked)
  }
  connection.on('session', (accept) => listenToSession(accept(), gone, push))
  connection.on('tcpip', (accept, reject, to) =>
    push({
      kind: 'forward',
      to,
      accept,
      reject: (reason, sentence) => rejectWith(connection, reject, reason, sentence),
    }),
  )
  // The declarations know neither the names nor that accept takes a port, or that both are missing where no reply is wanted.
  connection.on('request', (accept: unknown, reject: unknown, name: string, at: unknown) => {
    const kind = name === 'tcpip-forward' ? 'listen' : name === 'cancel-tcpip-forward' ? 'unlisten' : undefined
    const answer = answersOf(accept, reject)
    if (kind === undefined) answer.reject()
    else push({ kind, at: at as TcpipBindInfo, ...answer })
  })
  return {
    take(next) {
      handler = next
      for (const asked of waiting.splice(0)) next(asked)
    },
  }
}

function answersOf(accept: unknown, reject: unknown): { accept(port?: number): void; reject(): void } {
  const call = (answer: unknown, port?: number) => void (typeof answer === 'function' && answer(port))
  return { accept: (port) => call(accept, port), reject: () => call(reject) }
}

function listenToSession(session: Session, clientGone: AbortSignal, push: (asked: Asked) => void): void {
  const closed = new AbortController()
  const gone = AbortSignal.any([closed.signal, clientGone])
  const env = new Map<string, string>()
  let pty: PseudoTtyInfo | undefined
  let asked: SessionAsked | undefined
  // The channel itself only closes once everything in it has been read: that may be never while something is held.
  session.on('close', () => {
    if (asked?.isSilent === true && asked.channel.readableEnded) answerCloseLater(asked.channel)
    else closed.abort()
  })

  session.on('pty', (accept, _reject, info) => {
    pty = info
    accept?.()
  })
  session.on('env', (accept, _reject, { key, val }) => {
    if (env.size < mostVariables) env.set(key, val)
    accept?.()
  })
  session.on('window-change', (accept, _reject, size) => {
    if (pty !== undefined) pty = { ...pty, ...size }
    accept?.()
    asked?.onResize?.(size)
  })
  session.on('signal', (accept, _reject, { name }) => {
    accept?.()
    asked?.onSignal?.(name)
  })

  function begin(kind: SessionAsked['kind'], text: string, accept: () => ServerChannel): void {
    // At once: ssh2 gives no channel any more when the client's end of input has been read meanwhile.
    const channel = accept()
    if (channel === undefined) return
    channel.on('error', ignore)
    asked = {
      kind,
      text,
      channel,
      get pty() {
        return pty
      },
      env,
      gone,
      onResize: undefined,
      onSignal: undefined,
      isSilent: false,
    }
    push(asked)
  }
  session.on('exec', (accept, _reject, { command }) => begin('exec', command, accept))
  session.on('shell', (accept) => begin('shell', '', accept))
  session.on('subsystem', (accept, _reject, { name }) => begin('subsystem', name, accept))
}

/** Far more than any client sends. */
const mostVariables = 256

/** Whoever waits for the channel learns of its end by `gone`. */
function ignore(): void {}
