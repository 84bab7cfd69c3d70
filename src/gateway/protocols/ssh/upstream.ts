/**
 * The target's end: dialled, its host key checked, logged in. Whatever is begun there takes a permit; the one exception is
 * the sftp subsystem, which does nothing by itself and whose every operation is a command of its own.
 */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import ssh2, { type AuthHandlerMiddleware, type ClientChannel, type PseudoTtyInfo, type Client as Ssh } from 'ssh2'
import { reasonOf } from '../../../base/errors.ts'
import { hoopError, isHoopError } from '../../../contract/error-codes.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Permit } from '../../checkpoint.ts'
import type { Credential, Target } from '../protocol.ts'
import { towardsTarget } from './algorithms.ts'
import { joinFirstLine } from './first-line.ts'
import { checkHostKey, expectedOf, type TargetKeys } from './host-keys.ts'
import { type Exit, takePackets } from './inside.ts'
import { type Login, loginWith } from './login.ts'

export interface Surroundings {
  readonly pty: PseudoTtyInfo | undefined
  readonly env: Readonly<Record<string, string>>
}

export interface Upstream {
  readonly target: Target
  readonly connection: Ssh
  readonly socket: Socket
  /** Aborted when the target is gone; the reason is a Refusal, for whoever waits for it. */
  readonly gone: AbortSignal
  exec(permit: Permit, command: string, surroundings: Surroundings): Promise<Program>
  shell(permit: Permit, surroundings: Surroundings): Promise<Program>
  sftp(): Promise<Program>
  forward(permit: Permit, from: Address, to: Address): Promise<ClientChannel>
  end(): void
}

/** What runs at the target. */
export interface Program {
  readonly channel: ClientChannel
  /** How it has ended, once it has. */
  exit(): Exit | undefined
}

export interface Address {
  readonly host: string
  readonly port: number
}

export interface ConnectWish {
  readonly target: Target
  readonly credential: Credential
  readonly taken: TargetKeys
  readonly now: number
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

/** A target that says nothing for three of these is gone. */
const keepaliveIntervalMs = 30_000

export async function connectUpstream(wish: ConnectWish): Promise<Upstream> {
  const { target, signal } = wish
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(wish.timeoutMs)])
  const expected = await expectedOf(target, wish.taken)
  const socket = await dial(target, inTime)
  const connection = new ssh2.Client()
  const stop = () => socket.destroy()
  inTime.addEventListener('abort', stop, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      let refused: unknown
      let believed: Buffer | undefined
      connection.on('error', (error: Error & { level?: string }) =>
        reject(refused ?? notLoggedIn(target, error, inTime)),
      )
      connection.once('close', () => reject(refused ?? notLoggedIn(target, new Error('it hung up'), inTime)))
      connection.once('ready', resolve)
      joinFirstLine(socket)
      connection.connect({
        sock: socket,
        username: target.user,
        ident: 'hoop',
        readyTimeout: 0,
        keepaliveInterval: keepaliveIntervalMs,
        algorithms: towardsTarget(expected.keys.map((key) => key.split(' ', 1)[0] ?? '')),
        hostVerifier: (shown: Buffer, verify: (good: boolean) => void) => {
          // Again with every exchange of keys; then at once, because data follows on its heels.
          if (believed !== undefined) return verify(shown.equals(believed))
          checkHostKey(shown, expected, target, wish.taken, wish.credential.bearer).then(
            () => {
              believed = Buffer.from(shown)
              verify(true)
            },
            (error: unknown) => {
              refused = isHoopError(error) ? error : notKept(target, error)
              verify(false)
            },
          )
        },
        authHandler: authHandler(loginWith(connection, target, wish.credential, wish.now)),
      })
      takePackets(connection)
    })
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    inTime.removeEventListener('abort', stop)
  }
  return loggedIn(target, connection, socket)
}

/** ssh2 gives its callback last, and takes nothing returned for "wait". */
function authHandler(login: Login): AuthHandlerMiddleware {
  return (left, _partial, next) => login(left as typeof left | null, next)
}

function loggedIn(target: Target, connection: Ssh, socket: Socket): Upstream {
  const gone = new AbortController()
  const leave = (message: string) => {
    const refusal: Refusal = { code: 'target-unreachable', message, next: 'connect again' }
    gone.abort(refusal)
  }
  connection.on('error', (error) => leave(`target "${target.name}" is gone (${reasonOf(error)})`))
  connection.on('close', () => leave(`target "${target.name}" closed the connection`))
  // One for each channel that waits for it.
  socket.setMaxListeners(0)
  type Callback = (error: Error | undefined, channel: ClientChannel) => void
  function open<T>(ask: (callback: Callback) => void, take: (channel: ClientChannel) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (gone.signal.aborted) return reject(new Error('the connection is closed'))
      ask((error, channel) => {
        if (error !== undefined) return reject(error)
        channel.on('error', ignore)
        // In this very turn: a short program's end comes in the same packet as the news of its beginning.
        resolve(take(channel))
      })
    })
  }
  return {
    target,
    connection,
    socket,
    gone: gone.signal,
    exec: (_permit, command, surroundings) =>
      open((callback) => connection.exec(command, optionsOf(surroundings), callback), programIn),
    shell: (_permit, { pty, env }) => open((callback) => connection.shell(pty ?? false, { env }, callback), programIn),
    sftp: () => open((callback) => connection.subsys('sftp', callback), programIn),
    forward: (_permit, from, to) =>
      open(
        (callback) => connection.forwardOut(from.host, from.port, to.host, to.port, callback),
        (channel) => channel,
      ),
    end: () => void connection.end(),
  }
}

function programIn(channel: ClientChannel): Program {
  let exit: Exit | undefined
  channel.on('exit', (status: number | null, name?: string, coreDumped?: boolean, message?: string) => {
    if (status !== null) exit = { status }
    else exit = { signal: (name ?? '').replace(/^SIG/, ''), coreDumped: coreDumped === true, message: message ?? '' }
  })
  return { channel, exit: () => exit }
}

function optionsOf({ pty, env }: Surroundings) {
  return { env, ...(pty !== undefined && { pty }) }
}

async function dial(target: Target, signal: AbortSignal): Promise<Socket> {
  const socket = connectTcp({ host: target.host, port: target.port, noDelay: true, keepAlive: true })
  socket.on('error', ignore)
  try {
    await once(socket, 'connect', { signal })
    return socket
  } catch (error) {
    socket.destroy()
    throw unreachable(target, signal.aborted ? 'no answer in time' : reasonOf(error), error)
  }
}

function notLoggedIn(target: Target, error: Error & { level?: string }, signal: AbortSignal): Error {
  if (signal.aborted) return unreachable(target, 'no answer in time', error)
  switch (error.level) {
    case 'client-authentication':
      return hoopError('target-refused', `target "${target.name}" refused the gateway's login as "${target.user}"`, {
        hint: 'whoever runs the gateway checks user, ssh.login and secret of this target',
        cause: error,
      })
    case 'handshake':
    case 'protocol':
      return hoopError('target-refused', `target "${target.name}" does not speak SSH as needed (${reasonOf(error)})`, {
        hint: 'see docs/decisions/ssh.md for what is asked of a target',
        cause: error,
      })
    default:
      return unreachable(target, reasonOf(error), error)
  }
}

function unreachable({ name }: Target, why: string, cause: unknown): Error {
  return hoopError('target-unreachable', `cannot reach target "${name}" (${why})`, {
    cause,
    hint: 'check that the target runs and that the gateway can reach it',
  })
}

/** Fail closed: a key that cannot be written down is not trusted. */
function notKept({ name }: Target, cause: unknown): Error {
  return hoopError('target-refused', `the host key of target "${name}" cannot be checked, because it cannot be kept`, {
    cause,
    hint: 'pin it in ssh.hostKeys, or let the gateway write beside its store',
  })
}

/** Every socket has a listener from its first moment; whoever waits on it learns of the error by its own means. */
function ignore(): void {}
