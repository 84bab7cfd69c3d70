/** A target's own address becomes the client's; nobody else's does. */
import { describe, expect, it } from 'vitest'
import { type Place, withLocalAddresses } from '../../../../../src/gateway/protocols/http/own-addresses.ts'

const place: Place = { host: 'api.acme.test', port: 443, tls: { mode: 'verify-full' } }
const local = '127.0.0.1:4711'
const rewritten = (name: string, value: string, at: Place = place) => withLocalAddresses([[name, value]], at, local)

describe('addresses of the target', () => {
  it.each([
    ['Location', 'https://api.acme.test/v1/x?a=b#c', 'http://127.0.0.1:4711/v1/x?a=b#c'],
    ['Location', 'HTTPS://API.ACME.TEST:443/v1', 'http://127.0.0.1:4711/v1'],
    ['location', '//api.acme.test/v1', 'http://127.0.0.1:4711/v1'],
    ['Location', 'https://user:secret@api.acme.test/v1', 'http://127.0.0.1:4711/v1'],
    ['Location', 'https://api.acme.test', 'http://127.0.0.1:4711'],
    ['Content-Location', 'https://api.acme.test/it', 'http://127.0.0.1:4711/it'],
    [
      'Link',
      '<https://api.acme.test/?page=2>; rel="next", <https://other.test/>; rel=help',
      '<http://127.0.0.1:4711/?page=2>; rel="next", <https://other.test/>; rel=help',
    ],
    ['Refresh', '5; url=https://api.acme.test/next', '5; url=http://127.0.0.1:4711/next'],
    ['Refresh', "0;URL='https://api.acme.test/next'", "0;URL='http://127.0.0.1:4711/next'"],
  ])('%s: %s', (name, value, expected) => {
    expect(rewritten(name, value)).toEqual([[name, expected]])
  })

  it.each([
    ['Location', '/v1/x'],
    ['Location', 'https://other.test/v1'],
    ['Location', 'https://api.acme.test.evil.test/v1'],
    ['Location', 'https://api.acme.test:8443/v1'],
    ['Location', 'http://api.acme.test/v1'],
    ['Location', 'https://evil.test\\@api.acme.test/v1'],
    ['Refresh', '5'],
    ['X-Location', 'https://api.acme.test/v1'],
  ])('leaves %s: %s as it is', (name, value) => {
    expect(rewritten(name, value)).toEqual([[name, value]])
  })

  it('knows a port that is not the usual one, an IPv6 address, and the name in its certificate', () => {
    const odd: Place = { host: '::1', port: 8443, tls: { mode: 'verify-full', serverName: 'api.internal' } }
    expect(rewritten('Location', 'https://[::1]:8443/a', odd)).toEqual([['Location', 'http://127.0.0.1:4711/a']])
    expect(rewritten('Location', 'https://api.internal:8443/a', odd)).toEqual([['Location', 'http://127.0.0.1:4711/a']])
  })

  it('takes away what would lead past the door', () => {
    const fields = [
      ['Alt-Svc', 'h2="api.acme.test:443"'],
      ['Strict-Transport-Security', 'max-age=1'],
      ['Date', 'today'],
    ] as const
    expect(withLocalAddresses(fields, place, local)).toEqual([['Date', 'today']])
  })
})
