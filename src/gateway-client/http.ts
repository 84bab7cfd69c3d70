/**
 * One request to the gateway through undici: addresses, tokens, and what goes wrong on the way, as errors of the table.
 * What routes there are is client.ts' business.
 */
import { Agent, type Dispatcher, ProxyAgent, request } from 'undici'
import { type HoopError, hoopError, isHoopError } from '../contract/error-codes.ts'
import { checkedUrl } from './address.ts'
import { placeOf, unreachable, type Way } from './dial.ts'
import { refusedBy } from './refused.ts'
import type { TokenSource } from './token-source.ts'

export interface Ask {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
  /** false: the route is open to everyone. */
  readonly withToken?: boolean
  /** How long the gateway may be silent, in milliseconds. */
  readonly silenceMs?: number
}

export interface Http {
  readonly url: string
  readonly way: Way
  /** Resolves with a successful answer; rejects with a HoopError otherwise. */
  send(ask: Ask): Promise<Dispatcher.ResponseData>
  close(): Promise<void>
}

const connectTimeoutMs = 5000
const answerTimeoutMs = 30_000
/** More than any error body; the rest is not read. */
const errorBodyLimit = 64 * 1024

export interface HttpOptions {
  readonly gateway: string
  readonly tokens: TokenSource
  /** An HTTP proxy's URL. */
  readonly proxy?: string | undefined
}

export function createHttp({ gateway, tokens, proxy }: HttpOptions): Http {
  const base = checkedUrl(gateway)
  const way: Way = {
    gateway: base,
    ca: undefined,
    proxy: proxy === undefined ? undefined : new URL(proxy),
    timeoutMs: connectTimeoutMs,
  }
  const connect = { timeout: connectTimeoutMs, keepAlive: true }
  const dispatcher = proxy === undefined ? new Agent({ connect }) : new ProxyAgent({ uri: proxy, connect })

  async function exchange(ask: Ask, token: string | undefined): Promise<Dispatcher.ResponseData> {
    try {
      return await request(addressOf(base, ask), {
        dispatcher,
        method: ask.method ?? 'GET',
        headers: {
          accept: 'application/json, application/x-ndjson',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
        ...(ask.signal === undefined ? {} : { signal: ask.signal }),
        headersTimeout: answerTimeoutMs,
        bodyTimeout: ask.silenceMs ?? answerTimeoutMs,
      })
    } catch (error) {
      throw broken(way, error, ask.signal)
    }
  }

  return {
    url: base.href.replace(/\/$/, ''),
    way,
    async send(ask) {
      const token = ask.withToken === false ? undefined : await tokens.token()
      let answer = await exchange(ask, token)
      if (answer.statusCode === 401 && token !== undefined) {
        // The gateway's clock or keys may disagree with ours: one new token, one more try, and only if it is another one.
        const other = await tokens.renew(token)
        if (other !== undefined && other !== token) {
          await answer.body.dump()
          answer = await exchange(ask, other)
        }
      }
      if (answer.statusCode >= 200 && answer.statusCode < 300) return answer
      throw refusedBy(placeOf(way), answer.statusCode, await textOf(answer))
    },
    close: () => dispatcher.destroy(),
  }
}

function addressOf(base: URL, ask: Ask): URL {
  const url = new URL(ask.path.replace(/^\//, ''), base)
  for (const [name, value] of Object.entries(ask.query ?? {}))
    if (value !== undefined) url.searchParams.set(name, String(value))
  return url
}

/** Why there was no answer, or why it broke off. */
export function broken(way: Way, error: unknown, signal?: AbortSignal): HoopError {
  if (isHoopError(error)) return error
  if (signal?.aborted) return isHoopError(signal.reason) ? signal.reason : hoopError('cancelled', 'given up')
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  // undici's fetch-like errors carry the system's as their cause.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return unreachable(way, sentences[code] ?? cause)
}

const sentences: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: `timed out after ${connectTimeoutMs / 1000} s`,
  UND_ERR_HEADERS_TIMEOUT: `no answer within ${answerTimeoutMs / 1000} s`,
  UND_ERR_BODY_TIMEOUT: 'it fell silent',
  UND_ERR_SOCKET: 'the connection broke',
  UND_ERR_ABORTED: 'the connection broke',
}

/** The beginning of an error's body; what cannot be read is as good as nothing, the status has to do. */
async function textOf({ body }: Dispatcher.ResponseData): Promise<string> {
  try {
    let text = ''
    for await (const chunk of body.setEncoding('utf8')) {
      text += chunk
      if (text.length > errorBodyLimit) break
    }
    return text
  } catch {
    return ''
  }
}
