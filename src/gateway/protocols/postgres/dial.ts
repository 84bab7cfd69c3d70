/** Reaches a PostgreSQL server: TCP, then TLS if the target's settings say so. Nothing is said about who asks. */
import { once } from 'node:events'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { serialize } from 'pg-protocol'
import { reasonOf } from '../../../base/errors.ts'
import { hoopError } from '../../../contract/error-codes.ts'
import type { Target } from '../protocol.ts'

/** The signal ends the attempt: by its deadline, or because nobody waits for it any more. */
export async function dial(target: Target, signal: AbortSignal): Promise<Socket> {
  const tcp = connectTcp({ host: target.host, port: target.port, noDelay: true, keepAlive: true, allowHalfOpen: true })
  tcp.on('error', ignore)
  try {
    await once(tcp, 'connect', { signal })
    return target.tls.mode === 'disable' ? tcp : await encrypt(tcp, target, signal)
  } catch (error) {
    tcp.destroy()
    throw unreachable(target, error, signal)
  }
}

async function encrypt(tcp: Socket, target: Target, signal: AbortSignal): Promise<TLSSocket> {
  tcp.write(serialize.requestSsl())
  // Exactly one byte: whatever comes behind it before TLS has begun was sent by somebody in between.
  const [answer] = (await once(tcp, 'data', { signal })) as [Buffer]
  tcp.pause()
  if (answer.toString('latin1') !== 'S')
    throw hoopError('target-refused', `target "${target.name}" does not offer TLS, and its settings demand it`, {
      hint: 'switch TLS on at the target, or set tls.mode for it',
    })
  const { ca, serverName, mode } = target.tls
  const name = serverName ?? target.host
  const options: ConnectionOptions & { allowHalfOpen: boolean } = {
    allowHalfOpen: true,
    socket: tcp,
    ...(ca === undefined ? {} : { ca }),
    // TLS names servers by name only; an address is checked against the certificate all the same.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    host: name,
    rejectUnauthorized: mode === 'verify-full',
    ALPNProtocols: ['postgresql'],
    minVersion: 'TLSv1.2',
  }
  const tls = connectTls(options)
  tls.on('error', ignore)
  try {
    await once(tls, 'secureConnect', { signal })
  } catch (error) {
    tls.destroy()
    throw error
  }
  return tls
}

function unreachable(target: Target, error: unknown, signal: AbortSignal): Error {
  if (error instanceof Error && 'code' in error && error.code === 'target-refused') return error
  const why = signal.aborted ? 'no answer in time' : reasonOf(error)
  return hoopError('target-unreachable', `cannot reach target "${target.name}" (${why})`, {
    cause: error,
    hint: 'check that the target runs and that the gateway can reach it',
  })
}

/** Every socket has a listener from its first moment; whoever waits on it learns of the error by its own means. */
function ignore(): void {}
