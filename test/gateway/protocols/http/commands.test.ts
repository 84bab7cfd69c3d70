import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { commandOf, needsBody } from '../../../../src/gateway/protocols/http/commands.ts'
import type { Fields, Request } from '../../../../src/gateway/protocols/http/exchange.ts'
import type { Target } from '../../../../src/gateway/protocols/protocol.ts'

const target: Target = {
  name: 'billing-api',
  protocol: 'http',
  host: 'billing.acme',
  port: 443,
  tls: { mode: 'verify-full' },
  user: '',
  databases: [],
  http: {
    login: 'none',
    paths: ['/v1/customers/{id}', '/v1/customers/{id}/charges/{charge}:capture', '/files/{rest*}'],
  },
}

function request(method: string, path: string, fields: Fields = [], body?: string | Uint8Array): Request {
  const bytes = body === undefined ? undefined : Buffer.from(body)
  const framing = bytes === undefined ? ('none' as const) : { bytes: bytes.length }
  return { head: { method, target: path, fields, body: framing, upgrade: undefined }, body: bytes }
}

const command = (...given: Parameters<typeof request>) => commandOf(request(...given), target)
const json = (body: string, type = 'application/json') => command('POST', '/v1/x', [['Content-Type', type]], body)
const values = (asked: ReturnType<typeof command>) =>
  asked.fields?.filter(({ at }) => !at.startsWith('header:')).map(({ at, value }) => `${at}=${value}`)

describe('a request', () => {
  it('is its method on its path, with everything that has a name', () => {
    const asked = command(
      'PATCH',
      '/v1/customers/cus_1?expand=a&expand=b',
      [
        ['Content-Type', 'application/json'],
        ['X-Tenant', 'acme'],
        ['Accept-Encoding', 'gzip'],
        ['Authorization', 'Bearer abc'],
        ['Cookie', 'sid=1'],
        ['X-Api-Key', 'abc'],
      ],
      '{"name": "Ana", "tags": ["x", 1.50, null], "a/b": {"~": true}}',
    )
    expect(asked).toMatchObject({
      protocol: 'http',
      verb: 'PATCH',
      objects: ['/v1/customers/cus_1'],
      actions: [{ verb: 'PATCH', kind: 'write', objects: ['/v1/customers/cus_1'], unbounded: false }],
      facts: { kind: 'write', parsed: true },
    })
    expect(asked.text).toBe(
      'PATCH /v1/customers/cus_1?expand=a&expand=b\nContent-Type: application/json\nX-Tenant: acme\n\n' +
        '{"name": "Ana", "tags": ["x", 1.50, null], "a/b": {"~": true}}',
    )
    expect(asked.fields).toEqual([
      { at: 'template', value: '/v1/customers/{id}' },
      { at: 'path:id', value: 'cus_1' },
      { at: 'query:expand', value: 'a' },
      { at: 'query:expand', value: 'b' },
      { at: 'header:content-type', value: 'application/json' },
      { at: 'header:x-tenant', value: 'acme' },
      { at: 'body:/name', value: 'Ana' },
      { at: 'body:/tags/0', value: 'x' },
      { at: 'body:/tags/1', value: '1.50' },
      { at: 'body:/tags/2', value: 'null' },
      { at: 'body:/a~1b/~0', value: 'true' },
    ])
  })

  it.each([
    ['GET', 'read'],
    ['HEAD', 'read'],
    ['OPTIONS', 'read'],
    ['POST', 'write'],
    ['PUT', 'write'],
    ['PATCH', 'write'],
    ['DELETE', 'write'],
    ['PROPFIND', 'admin'],
    ['get', 'admin'],
  ])('with %s is of kind %s', (method, kind) => {
    expect(command(method, '/').facts.kind).toBe(kind)
  })

  it('is the very same command when it comes again, so that it is judged once', () => {
    expect(command('GET', '/v1/a?b=c', [['Accept', '*/*']])).toBe(command('GET', '/v1/a?b=c', [['Accept', '*/*']]))
    expect(command('GET', '/v1/a?b=c', [['Accept', 'x']])).not.toBe(command('GET', '/v1/a?b=c', [['Accept', '*/*']]))
    const [one, other] = [command('POST', '/v1/a', [], 'x'), command('POST', '/v1/a', [], 'y')]
    expect(one.facts).toBe(other.facts)
    expect(one.actions).toBe(other.actions)
  })

  it('names what parts of its path are, in every reading', () => {
    expect(values(command('GET', '/V1/customers/a%62c/charges/ch_1:capture'))).toEqual([
      'template=/v1/customers/{id}/charges/{charge}:capture',
      'path:id=a%62c',
      'path:charge=ch_1',
      'path:id=abc',
    ])
    expect(values(command('GET', '/files/a/b/c'))).toContain('path:rest=a/b/c')
  })

  it.each([
    ['?a=1&b', ['query:a=1', 'query:b=']],
    ['?a%20b=c+d%2Be', ['query:a b=c d+e']],
    ['?a=1;b=2', ['query:a=1;b=2', 'query:a=1', 'query:b=2']],
    ['?a=%zz&&=x', ['query:a=%zz', 'query:=x']],
    ['?a=b=c', ['query:a=b=c']],
  ])('with the query %s has %j', (query, expected) => {
    expect(values(command('GET', `/${query}`))).toEqual(expected)
  })
})

describe('a method or path that is named elsewhere', () => {
  it.each<Parameters<typeof request>>([
    ['POST', '/x', [['X-HTTP-Method-Override', 'delete']]],
    ['POST', '/x', [['x-http-method', 'DELETE']]],
    ['POST', '/x', [['X-Method-Override', 'PUT, DELETE']]],
    ['GET', '/x?_method=DELETE', []],
    ['POST', '/x', [['Content-Type', 'application/x-www-form-urlencoded']], 'a=b&_method=delete'],
    ['POST', '/x', [['Content-Type', 'application/json']], '{"_method":"DELETE"}'],
    ['POST', '/x', [['Content-Type', 'text/plain']], '{"_method":"DELETE"}'],
  ])('is an action of its own: %s %s %j %s', (...given) => {
    const { actions } = command(...given)
    expect(actions[0]?.verb).toBe(given[0])
    expect(actions.map(({ verb, kind, objects }) => `${verb} ${kind} ${objects}`)).toContain('DELETE write /x')
  })

  it('is not understood where it is no name of a method', () => {
    expect(command('POST', '/x', [['X-HTTP-Method-Override', 'DEL ETE']]).facts.parsed).toBe(false)
  })

  it.each([
    ['X-Original-URL', '/admin?x'],
    ['X-Rewrite-URL', 'admin'],
    ['x-forwarded-uri', 'http://localhost/public/..%2fadmin'],
    ['Destination', 'https://host/admin'],
  ])('counts as touched: %s: %s', (name, value) => {
    const { actions, objects } = command('GET', '/public', [[name, value]])
    expect(objects).toContain('/admin')
    expect(actions).toHaveLength(2)
  })
})

describe('a body', () => {
  it.each([
    ['a name twice', '{"role":"user","role":"admin"}'],
    ['no JSON', '{role:1}'],
    ['something behind it', '{} {}'],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le').toString('latin1')],
    ['a byte order mark', '\ufeff{}'],
  ])('of JSON with %s is not understood', (_, body) => {
    const asked = json(body)
    expect(asked.facts).toMatchObject({ parsed: false, kind: 'admin' })
    expect(asked.text).toContain('\nHoop-Doubt: its body is no clear JSON: ')
  })

  it.each(['application/json; charset=utf-16', 'application/json;charset=utf-7', 'application/json, text/plain'])(
    'is not understood as %s',
    (type) => {
      expect(json('{}', type).facts.parsed).toBe(false)
    },
  )

  it('with two types is not understood', () => {
    const fields: Fields = [
      ['Content-Type', 'text/plain'],
      ['content-type', 'application/json'],
    ]
    expect(command('POST', '/', fields, '{}').facts.parsed).toBe(false)
  })

  it.each([
    'application/json; charset="UTF-8"',
    'application/vnd.api+json',
    'application/x-json',
    'text/json',
    'text/plain',
    'text/html',
    'application/xml',
    'application/graphql',
    'application/x-www-form-urlencoded',
  ])('is looked at for JSON, whatever it says it is: %s', (type) => {
    expect(values(json('{"role":"admin"}', type))).toContain('body:/role=admin')
    expect(json('{"role":"user","role":"admin"}', type).facts.parsed).toBe(false)
  })

  it('that does not say what it is may be a form or JSON', () => {
    expect(values(command('POST', '/', [], 'role=admin'))).toContain('body:/role=admin')
    expect(values(command('POST', '/', [], '{"role":"admin"}'))).toContain('body:/role=admin')
  })

  it('of several values has those of each', () => {
    expect(values(json('{"a":1}\n{"a":2}\n', 'application/x-ndjson'))).toEqual(['body:/a=1', 'body:/a=2'])
    expect(values(json('\x1e{"a":1}\n', 'application/json-seq'))).toEqual(['body:/a=1'])
    expect(json('{"a":1}{"a":2}', 'application/x-ndjson').facts.parsed).toBe(false)
  })

  it.each([
    ['role=user&role=admin', ['body:/role=user', 'body:/role=admin']],
    ['a=1;role=admin', ['body:/a=1;role=admin', 'body:/a=1', 'body:/role=admin']],
    ['n%61me=J%C3%BCrgen+B', ['body:/name=Jürgen B']],
    ['name=Jürgen', ['body:/name=Jürgen']],
  ])('of a form has every pair: %s', (body, expected) => {
    expect(values(json(body, 'application/x-www-form-urlencoded'))).toEqual(expected)
  })

  it('of a form in another charset is not understood', () => {
    expect(json('a=b', 'application/x-www-form-urlencoded; charset=utf-16').facts.parsed).toBe(false)
    expect(json('a=\xe9', 'application/x-www-form-urlencoded').facts.parsed).toBe(true)
    const latin1 = Buffer.from('a=\xe9', 'latin1')
    expect(command('POST', '/', [['Content-Type', 'application/x-www-form-urlencoded']], latin1).facts.parsed).toBe(
      false,
    )
  })

  it('of parts has their names and values, and of files name, size and digest', () => {
    const body =
      '--b\r\nContent-Disposition: form-data; name="role"\r\n\r\nadmin\r\n' +
      '--b\r\nContent-Disposition: form-data; name="avatar"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n\u0000\r\n' +
      '--b--\r\n'
    const asked = json(body, 'multipart/form-data; boundary=b')
    expect(values(asked)).toEqual(['body:/role=admin', 'body:/avatar=a.png'])
    expect(asked.text.split('\n\n').slice(1).join('\n\n')).toBe(
      '--part\nContent-Disposition: form-data; name="role"\n\nadmin\n--part\n' +
        'Content-Disposition: form-data; name="avatar"; filename="a.png"\nContent-Type: image/png\n\n' +
        '(1 bytes, SHA-256 6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d)',
    )
  })

  it('of other types is named by type and size, and may hold anything that rules ask for', () => {
    const { head } = request('PUT', '/files/a', [['Content-Type', 'image/png']], 'abc')
    expect(needsBody(head)).toBe(false)
    const asked = commandOf({ head, body: undefined }, target)
    expect(asked.text).toBe('PUT /files/a\nContent-Type: image/png\n\n(3 bytes of image/png)')
    expect(asked.facts.parsed).toBe(true)
    expect(values(asked)).toContain('body:<unknown>=<unknown>')
  })

  it.each([
    ['application/json', [], false],
    ['application/x-www-form-urlencoded', [], false],
    ['text/plain', [], true],
    ['multipart/form-data; boundary=b', [], true],
    ['text/plain', [['Content-Encoding', 'gzip'] as const], false],
    ['application/json', [['Content-Encoding', 'foo'] as const], false],
  ])('of %s that could not be read (%j): understood is %s', (type, more, parsed) => {
    const { head } = request('POST', '/', [['Content-Type', type], ...more], gzipSync('x'))
    const asked = commandOf({ head, body: undefined, unread: 'its body is longer than 5 bytes' }, target)
    expect(asked.facts.parsed).toBe(parsed)
    expect(values(asked)).toContain('body:<unknown>=<unknown>')
  })

  it('is asked for unless its type says that it holds nothing of the kind', () => {
    const head = (type?: string) => request('POST', '/', type === undefined ? [] : [['content-type', type]], 'x').head
    for (const type of [
      'application/json',
      'text/plain',
      'application/xml',
      'multipart/form-data; boundary=x',
      undefined,
    ])
      expect(needsBody(head(type))).toBe(true)
    for (const type of ['image/png', 'application/octet-stream', 'multipart/related', 'application/zip'])
      expect(needsBody(head(type))).toBe(false)
    expect(needsBody(request('GET', '/', [['content-type', 'application/json']]).head)).toBe(false)
  })
})
