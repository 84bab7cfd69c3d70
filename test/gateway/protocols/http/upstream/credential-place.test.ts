/** Whatever a client puts in the place of the credential, in whatever spelling, is not sent. */
import { describe, expect, it } from 'vitest'
import { withField, withParameter } from '../../../../../src/gateway/protocols/http/credential-place.ts'
import type { Fields, RequestHead } from '../../../../../src/gateway/protocols/http/exchange.ts'

const headOf = (target: string, fields: Fields = []): RequestHead => ({
  method: 'GET',
  target,
  fields,
  body: 'none',
  upgrade: undefined,
})

describe('a header that carries the credential', () => {
  it.each(['X-Api-Key', 'x-api-key', 'X_API_KEY', 'x-Api_key'])('takes the place of %s', (spelling) => {
    const head = headOf('/', [
      [spelling, 'mine'],
      ['Accept', '*/*'],
      [spelling, 'mine too'],
    ])
    expect(withField(head, 'X-Api-Key', 'ours').fields).toEqual([
      ['Accept', '*/*'],
      ['X-Api-Key', 'ours'],
    ])
  })
})

describe('a query parameter that carries the credential', () => {
  it.each([
    '/a?api_key=mine',
    '/a?API_KEY=mine',
    '/a?api%5Fkey=mine',
    '/a?%61pi_key=mine',
    '/a?api_key',
    '/a?api_key=1&api_key=2',
    '/a?api_key[]=mine',
    '/a?api_key%5B0%5D=mine',
    '/a?api.key=mine',
    '/a?+api_key=mine',
    '/a?',
    '/a',
  ])('is the only one in %s', (target) => {
    expect(withParameter(headOf(target), 'api_key', 'o&rs').target).toBe('/a?api_key=o%26rs')
  })

  it.each([
    ['/a?x=1&api_key=mine&y=%2f+z', '/a?x=1&y=%2f+z&api_key=ours'],
    ['/a?x=1;api_key=mine;y=2', '/a?x=1;y=2&api_key=ours'],
    ['/a?x=1&&my_api_key=2', '/a?x=1&&my_api_key=2&api_key=ours'],
    ['/a?q=api_key=mine', '/a?q=api_key=mine&api_key=ours'],
    ['/api_key=mine?x', '/api_key=mine?x&api_key=ours'],
  ])('leaves the rest of %s to the letter', (target, expected) => {
    expect(withParameter(headOf(target), 'api_key', 'ours').target).toBe(expected)
  })
})
