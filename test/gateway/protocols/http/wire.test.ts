import { describe, expect, it } from 'vitest'
import { Malformed } from '../../../../src/gateway/protocols/http/malformed.ts'
import type { ReadHead } from '../../../../src/gateway/protocols/http/request-head.ts'
import { RequestReader } from '../../../../src/gateway/protocols/http/wire.ts'
import { cuts } from '../../../support/chunks.ts'
import { corpus } from './smuggling/corpus.ts'

interface Read {
  readonly head: ReadHead
  body: string
}

/** All requests in these bytes, or the status of the refusal. */
function read(pieces: readonly Buffer[]): readonly Read[] | number {
  const reader = new RequestReader()
  const requests: Read[] = []
  try {
    for (const piece of pieces) {
      reader.push(piece)
      for (;;) {
        if (reader.isBetween) {
          const head = reader.head()
          if (head === undefined) break
          requests.push({ head, body: '' })
        }
        const part = reader.body()
        const last = requests.at(-1)
        if (part !== undefined && last !== undefined) last.body += part.toString('latin1')
        else if (!reader.isBetween) break
      }
    }
  } catch (error) {
    if (error instanceof Malformed) return error.status
    throw error
  }
  return requests
}

const bytes = (text: string) => Buffer.from(text, 'latin1')
const only = (text: string): Read => {
  const requests = read([bytes(text)])
  if (typeof requests === 'number') throw new Error(`refused with ${requests}`)
  const [request] = requests
  if (request === undefined) throw new Error('no request')
  return request
}

const good = [
  'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'GET /a?b=c%20d HTTP/1.1\r\nHost: localhost:8080\r\nAccept: */*\r\nX-Empty:\r\nX-Blank: \t \r\nX-Latin: \xe4\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: localhost\r\ntransfer-encoding: Chunked\r\n\r\n3;a=b\r\nhel\r\n2 ; c\r\nlo\r\n00\r\nX-T: 1\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'PUT /a HTTP/1.1\r\nHost: [::1]:1\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n',
  'GET http://localhost/a?b HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'GET /old HTTP/1.0\r\n\r\nGET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
]

describe('reading requests', () => {
  it.each(good)('any cutting of the bytes gives the same: %j', (text) => {
    const whole = read([bytes(text)])
    expect(whole).not.toBeTypeOf('number')
    for (const pieces of cuts(bytes(text))) expect(read(pieces)).toEqual(whole)
  })

  it.each(corpus.filter(({ bytes }) => bytes.length < 1000))('any cutting is refused the same way: $name', (bad) => {
    for (const pieces of cuts(bytes(bad.bytes))) {
      const got = read(pieces)
      if (got !== bad.status) expect({ got, pieces: pieces.map(String) }).toEqual(bad.status)
    }
  })

  it.each(corpus.filter(({ bytes }) => bytes.length >= 1000))('refuses $name', (bad) => {
    expect(read([bytes(bad.bytes)])).toBe(bad.status)
    const middle = Math.floor(bad.bytes.length / 2)
    expect(read([bytes(bad.bytes.slice(0, middle)), bytes(bad.bytes.slice(middle))])).toBe(bad.status)
  })

  it('reads a head of any length up to its limit, and none beyond', () => {
    const of = (length: number) => {
      const frame = 'GET / HTTP/1.1\r\nHost: localhost\r\nX-A: \r\n\r\n'
      return [bytes(frame.replace('X-A: ', `X-A: ${'a'.repeat(length - frame.length)}`))]
    }
    expect(read(of(64 * 1024))).toHaveLength(1)
    expect(read(of(64 * 1024 + 1))).toBe(431)
  })

  it('takes off what concerns one connection only, and what Connection names', () => {
    const { head } = only(
      'GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\nTE: trailers, deflate\r\n' +
        'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nProxy-Authorization: Basic eA==\r\nX-Yours: 2\r\nx-yours: 3\r\n\r\n',
    )
    expect(head.request).toEqual({
      method: 'GET',
      target: '/a',
      fields: [
        ['X-Yours', '2'],
        ['x-yours', '3'],
        ['TE', 'trailers'],
      ],
      body: 'none',
      upgrade: undefined,
    })
    expect(head).toMatchObject({ keepAlive: false, takesTrailers: true, host: 'localhost' })
  })

  it('drops trailers: they come behind the judgement', () => {
    const request = only(
      'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nAuthorization: x\r\n\r\n',
    )
    expect(request.body).toBe('a')
    expect(JSON.stringify(request.head)).not.toContain('Authorization')
  })

  it('says which protocol is asked for, in small letters', () => {
    const upgrade = (fields: string) => only(`GET / HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`).head.request.upgrade
    expect(upgrade('Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n')).toBe('websocket')
    expect(upgrade('Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n')).toBe('spdy/3.1')
    expect(upgrade('Upgrade: websocket\r\n')).toBeUndefined()
    expect(upgrade('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n')).toBeUndefined()
  })

  it('keeps a connection by the rules of its version', () => {
    const keeps = (version: string, connection: string) =>
      only(`GET / HTTP/${version}\r\nHost: localhost\r\n${connection}\r\n`).head.keepAlive
    expect(keeps('1.1', '')).toBe(true)
    expect(keeps('1.1', 'Connection: Close\r\n')).toBe(false)
    expect(keeps('1.0', '')).toBe(false)
    expect(keeps('1.0', 'Connection: Keep-Alive\r\n')).toBe(true)
  })
})
