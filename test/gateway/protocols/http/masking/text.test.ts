import { describe, expect, test } from 'vitest'
import type { Masks } from '../../../../../src/gateway/checkpoint.ts'
import { mediaType } from '../../../../../src/gateway/protocols/http/masking/media-type.ts'
import { lookAt } from '../../../../../src/gateway/protocols/http/results.ts'
import { both, emails, masksFor, passwords, shownBy, through } from './masks.ts'

const shown = (type: string | undefined, input: string | Buffer, masks: Masks) =>
  shownBy(() => lookAt(masks, mediaType(type)), input)

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')

describe('text', () => {
  test.each([
    ['html', 'text/html', '<p>ana@acme.com</p>\n<p>b</p>', '<p>•••</p>\n<p>b</p>'],
    ['csv', 'text/csv', 'a,ana@acme.com\n4111-1111-1111-1111,b\n', 'a,•••\n•••,b\n'],
    ['xml', 'application/soap+xml', '<a>ana@acme.com</a>', '<a>•••</a>'],
    ['that nobody named', undefined, 'ana@acme.com', '•••'],
    ['of an unknown type', 'application/octet-stream', 'é ana@acme.com', 'é •••'],
    ['that calls itself a picture', 'image/png', 'ana@acme.com', '•••'],
    ['none', 'text/plain', '', ''],
  ])('%s', (_, type, input, expected) => {
    expect(shown(type, input, emails)).toBe(expected)
  })

  test('in Latin-1 becomes UTF-8', () => {
    const input = Buffer.from('für ana@acme.com', 'latin1')
    expect(shown('text/plain; charset=ISO-8859-1', input, emails)).toBe('für •••')
  })

  test.each(['utf-16le', 'utf-16'])('in %s becomes UTF-8', (charset) => {
    expect(shown(`text/plain; charset=${charset}`, Buffer.from('für ana@acme.com', 'utf16le'), emails)).toBe('für •••')
  })

  test('that begins with a mark of UTF-16 is read as that', () => {
    const input = Buffer.from('\ufefffür ana@acme.com', 'utf16le')
    expect(shown('text/plain', input, emails)).toBe('für •••')
    expect(shown('application/json', Buffer.from('\ufeff{"password":"x"}', 'utf16le'), passwords)).toBe(
      '{"password":"•••"}',
    )
  })

  test('in two bytes a sign without saying so is withheld', () => {
    expect(shown('text/plain', Buffer.from('ana@acme.com', 'utf16le'), emails)).toMatch('withheld: it is no text')
  })
})

describe('text where members are masked', () => {
  test.each([
    ['JSON that does not say so', 'text/plain', ' {"password":"x"}', ' {"password":"•••"}'],
    ['lines of JSON', 'text/html', '{"password":"x"}\n{"a":1}\n', '{"password":"•••"}\n{"a":1}\n'],
    ['what only begins like JSON', 'text/plain', '[info] to ana@acme.com\n', '[info] to •••\n'],
    ['what has no such name', 'text/html', '<h1>404 Not Found</h1>', '<h1>404 Not Found</h1>'],
  ])('%s is shown', (_, type, input, expected) => {
    expect(shown(type, input, both)).toBe(expected)
  })

  test.each([
    ['CSV', 'text/csv', 'name,password\nana,x\n'],
    ['XML', 'application/xml', '<user><password>x</password></user>'],
    ['XML by attribute', 'text/xml', '<user password="x"/>'],
    ['YAML', 'application/yaml', 'user:\n  password: x\n'],
    ['a form', 'application/x-www-form-urlencoded', 'a=b&password=x'],
    ['a script', 'application/javascript', 'cb({"password":"x"})'],
    ['a page', 'text/html', '<td>Password</td><td>x</td>'],
    ['broken JSON', 'text/plain', '{"password": x}'],
    ['a word at the very end', 'text/plain', 'your password'],
  ])('%s with such a name is withheld', (_, type, input) => {
    expect(shown(type, input, passwords)).toMatch(/^withheld: it is no JSON, and "password" in it/i)
  })

  test('by place, its last step is the name', () => {
    expect(shown('text/csv', 'id,mail\n1,x', masksFor({ fields: ['/users/*/mail'] }))).toMatch('withheld')
  })

  test('a name far behind other words is found', () => {
    expect(shown('text/plain', `${'word '.repeat(100)}password x`, passwords)).toMatch('withheld')
  })

  test('a name of several words is found', () => {
    expect(shown('text/csv', 'id,E-Mail Adresse\n1,x', masksFor({ fields: ['e-mail adresse'] }))).toMatch('withheld')
  })
})

describe('what is no text', () => {
  test('a picture passes as it is', () => {
    const bytes = Buffer.concat([png, Buffer.alloc(2000, 7)])
    const look = lookAt(both, mediaType('image/png'))
    expect(Buffer.concat([look.push(bytes), look.end()])).toEqual(bytes)
  })

  test.each(['application/pdf', 'application/x-protobuf', undefined, 'application/octet-stream'])(
    '%s is withheld',
    (type) => {
      expect(shown(type, png, emails)).toMatch('withheld: it is no text')
    },
  )

  test('text that goes on as something else is cut off', () => {
    const look = lookAt(emails, mediaType('application/octet-stream'))
    expect(look.push(Buffer.from(`${'line\n'.repeat(200)}`)).length).toBe(1000)
    expect(() => look.push(Buffer.concat([png, png]))).toThrow('it is no text')
  })

  test('text whose last character is cut in two is withheld to its end', () => {
    expect(() =>
      through(lookAt(emails, mediaType(undefined)), [Buffer.from('x'.repeat(600)), Buffer.from([0xc3])]),
    ).toThrow('it is no text')
  })
})
