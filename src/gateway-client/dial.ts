/**
 * One open socket to the gateway: straight or through an HTTP proxy, plain or TLS, within a time limit; and the precise
 * sentence when that fails. TLS and HTTP are loaded where they are spoken: they take as long as Node itself to start.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { reasonOf } from '../base/errors.ts'
import { type HoopError, hoopError, isHoopError } from '../contract/error-codes.ts'

/** Where the gateway is and how to get there. */
export interface Way {
  readonly gateway: URL
  /** PEM of the certificate authority to trust instead of the system's. */
  readonly ca: string | undefined
  /** An HTTP proxy that can CONNECT. */
  readonly proxy: URL | undefined
  readonly timeoutMs: number
}

/** `gateway.acme.dev:443` */
export function placeOf(way: Way): string {
  return `${way.gateway.hostname}:${portOf(way.gateway)}`
}

/** An open socket that has an error listener; `alpn` is offered where there is TLS. */
export async function dial(way: Way, alpn: readonly string[], signal?: AbortSignal): Promise<Socket> {
  const late = AbortSignal.timeout(way.timeoutMs)
  const stop = signal === undefined ? late : AbortSignal.any([signal, late])
  let socket: Socket | undefined
  try {
    socket = way.proxy === undefined ? await reach(way.gateway, stop) : await reachThrough(way.proxy, way, stop)
    if (way.gateway.protocol !== 'https:') return socket
    const host = bareHost(way.gateway)
    const { connect: connectTls } = await import('node:tls')
    return await opened(
      connectTls({
        socket,
        host,
        ALPNProtocols: [...alpn],
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...(way.ca === undefined ? {} : { ca: way.ca }),
      }),
      'secureConnect',
      stop,
    )
  } catch (error) {
    socket?.destroy()
    if (signal?.aborted) throw hoopError('cancelled', `gave up connecting to ${placeOf(way)}`, { cause: error })
    throw unreachable(way, late.aborted ? `timed out after ${seconds(way.timeoutMs)}` : error)
  }
}

/** `cannot reach gateway.acme.dev:443 (connection refused)`, out of whatever was thrown or a reason in words. */
export function unreachable(way: Way, why: unknown): HoopError {
  if (isHoopError(why)) return why
  const code = codeOf(why)
  const reason = typeof why === 'string' ? why : (sentences[code] ?? reasonOf(why))
  const trust = code.includes('CERT') || code.includes('SIGNATURE')
  return hoopError('gateway-unreachable', `cannot reach ${placeOf(way)} (${reason})`, {
    cause: why,
    hint: trust
      ? 'a certificate authority of your own is named by NODE_EXTRA_CA_CERTS=FILE'
      : 'check the address with "hoop status"',
  })
}

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed by the other side',
  EPIPE: 'connection closed by the other side',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name cannot be looked up now',
  ETIMEDOUT: 'timed out',
  EHOSTUNREACH: 'no way to the host',
  ENETUNREACH: 'no way to the network',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS; is the address http://?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed and not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes from an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from an authority that is not trusted',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

function codeOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return codeOf(thrown.errors[0])
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
}

function reach(url: URL, stop: AbortSignal): Promise<Socket> {
  const socket = connectTcp({ host: bareHost(url), port: portOf(url), noDelay: true, keepAlive: true })
  return opened(socket, 'connect', stop)
}

/** RFC 9110 section 9.3.6. */
async function reachThrough(proxy: URL, way: Way, stop: AbortSignal): Promise<Socket> {
  const { request: ask } = proxy.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const place = placeOf(way)
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  const request = ask({
    host: bareHost(proxy),
    port: portOf(proxy),
    method: 'CONNECT',
    path: place,
    agent: false,
    signal: stop,
    headers: {
      host: place,
      ...(proxy.username === '' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }),
    },
  })
  return new Promise((resolve, reject) => {
    request.once('connect', (response, socket: Socket) => {
      socket.on('error', ignoreLate)
      if (response.statusCode === 200) return resolve(socket.setNoDelay(true))
      socket.destroy()
      reject(new Error(`the proxy ${proxy.host} answered ${response.statusCode}`))
    })
    request.once('response', (response) => {
      response.destroy()
      reject(new Error(`the proxy ${proxy.host} answered ${response.statusCode}`))
    })
    request.on('error', (error) => reject(new Error(`the proxy ${proxy.host}: ${reasonOf(error)}`, { cause: error })))
    request.end()
  })
}

/** Waits for a socket to be open; whoever gets it adds listeners of its own to the one that is always there. */
function opened<S extends Socket>(socket: S, event: 'connect' | 'secureConnect', stop: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const giveUp = () => socket.destroy(new Error('gave up'))
    socket.on('error', ignoreLate)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('connection closed by the other side')))
    stop.addEventListener('abort', giveUp, { once: true })
    if (stop.aborted) giveUp()
    socket.once(event, () => {
      stop.removeEventListener('abort', giveUp)
      resolve(socket)
    })
  })
}

/** An error that comes when nobody waits any more; without a listener it would end the process. */
function ignoreLate(): void {}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port)
  return url.protocol === 'https:' ? 443 : 80
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}

function seconds(ms: number): string {
  return `${ms / 1000} s`
}
