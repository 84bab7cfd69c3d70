/**
 * Which of the protocols that carry streams a request offers, and which one an answer took. What the gateway cannot follow is
 * taken out of the offer, so that the two ends agree on something it can, or on nothing. Pure.
 */
import type { Fields, RequestHead } from '../../http/index.ts'
import type { StreamsAsked } from './asked.ts'

export type Chosen =
  | { readonly carrier: 'websocket'; readonly version: 'v4' | 'v5' }
  /** SPDY within a WebSocket: for port-forwards. */
  | { readonly carrier: 'tunnel' }
  /** `error`: how the end of a remote command is told. */
  | { readonly carrier: 'spdy'; readonly error: 'status' | 'text' }

const webSocketProtocols = {
  command: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
  portforward: ['SPDY/3.1+portforward.k8s.io', 'v4.channel.k8s.io'],
} as const
const spdyProtocols = {
  command: ['v5', 'v4', 'v3', 'v2'].map((version) => `${version}.channel.k8s.io`),
  portforward: ['portforward.k8s.io'],
} as const

const negotiated: ReadonlySet<string> = new Set([
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  'x-stream-protocol-version',
])

/** As it may be forwarded; undefined: nothing in it can be followed. */
export function followableOffer(head: RequestHead, kind: StreamsAsked['kind']): RequestHead | undefined {
  const use = kind === 'portforward' ? 'portforward' : 'command'
  const others = head.fields.filter(([name]) => !negotiated.has(name.toLowerCase()))
  if (head.upgrade === 'websocket') {
    const known: readonly string[] = webSocketProtocols[use]
    const offered = members(head.fields, 'sec-websocket-protocol').filter((one) => known.includes(one))
    if (offered.length === 0) return undefined
    return { ...head, fields: [...others, ['Sec-WebSocket-Protocol', offered.join(', ')]] }
  }
  if (head.upgrade !== 'spdy/3.1') return undefined
  const known: readonly string[] = spdyProtocols[use]
  const offered = members(head.fields, 'x-stream-protocol-version').filter((one) => known.includes(one))
  if (offered.length === 0) return undefined
  return { ...head, fields: [...others, ...offered.map((one) => ['X-Stream-Protocol-Version', one] as const)] }
}

/** undefined: the target answered with something that was not offered. */
export function chosenBy(answer: Fields, upgrade: string | undefined, kind: StreamsAsked['kind']): Chosen | undefined {
  const use = kind === 'portforward' ? 'portforward' : 'command'
  if (upgrade === 'websocket') {
    const [protocol, ...more] = members(answer, 'sec-websocket-protocol')
    const isOffered = webSocketProtocols[use].some((one) => one === protocol)
    if (!isOffered || more.length > 0 || members(answer, 'sec-websocket-extensions').length > 0) return undefined
    if (protocol === 'SPDY/3.1+portforward.k8s.io') return { carrier: 'tunnel' }
    return { carrier: 'websocket', version: protocol === 'v5.channel.k8s.io' ? 'v5' : 'v4' }
  }
  const [protocol, ...more] = members(answer, 'x-stream-protocol-version')
  const version = spdyProtocols[use].find((one) => one === protocol)
  if (upgrade !== 'spdy/3.1' || version === undefined || more.length > 0) return undefined
  return { carrier: 'spdy', error: /^v[23]\./.test(version) ? 'text' : 'status' }
}

function members(fields: Fields, wanted: string): string[] {
  return fields
    .filter(([name]) => name.toLowerCase() === wanted)
    .flatMap(([, value]) => value.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '')
}
