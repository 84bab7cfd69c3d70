import { describe, expect, test } from 'vitest'
import type { Masks } from '../../../../../src/gateway/checkpoint.ts'
import { createJsonLook } from '../../../../../src/gateway/protocols/http/masking/by-beginning.ts'
import { createMaskedJson } from '../../../../../src/gateway/protocols/http/masking/masked-json.ts'
import { both, emails, masksFor, passwords, shownBy, through } from './masks.ts'

const shown = (input: string, masks: Masks) => shownBy(() => createMaskedJson(masks), input)

describe('members', () => {
  test.each([
    ['a string', '{"user": "ana", "password": "hunter2"}', '{"user": "ana", "password": "•••"}'],
    ['at any depth', '[{"a":[{"password":"x"}]}]', '[{"a":[{"password":"•••"}]}]'],
    ['in any case', '{"Password":"x"}', '{"Password":"•••"}'],
    ['with escapes in its name', '{"p\\u0061ssword":"x"}', '{"p\\u0061ssword":"•••"}'],
    ['twice in one object', '{"password":"x","password":"y"}', '{"password":"•••","password":"•••"}'],
    ['a number', '{"password":1234 , "a":1}', '{"password":null , "a":1}'],
    ['true', '{"password":true}', '{"password":null}'],
    ['null', '{"password":null}', '{"password":null}'],
    ['an object, whole', '{"password":{"old":"x","new":["y",{"z":1}]},"a":2}', '{"password":null,"a":2}'],
    ['an array, whole', '{"password":["x"],"a":[]}', '{"password":null,"a":[]}'],
    ['what only has it as a value', '["password"]', '["password"]'],
    ['an empty string', '{"password":""}', '{"password":"•••"}'],
    ['nothing else', ' {"a" : [ 1e5 , -0.0, "é\\n" ] }\n', ' {"a" : [ 1e5 , -0.0, "é\\n" ] }\n'],
    ['values one behind the other', '{"password":1}\n{"password":"x"}\n', '{"password":null}\n{"password":"•••"}\n'],
    ['values without anything between', '{"password":1}{"password":2}3', '{"password":null}{"password":null}3'],
    ['records of RFC 7464', '\x1e{"password":"x"}\n\x1e{"a":1}\n', '\x1e{"password":"•••"}\n\x1e{"a":1}\n'],
    ['behind a byte order mark', '\ufeff{"password":"x"}', '\ufeff{"password":"•••"}'],
    ['nothing at all', '', ''],
  ])('%s', (_, input, expected) => {
    expect(shown(input, passwords)).toBe(expected)
  })

  test('by its place', () => {
    const masks = masksFor({ fields: ['/users/*/mail', '/0'] })
    const input = '{"users":[{"mail":"x","deep":{"mail":"y"}}],"mail":"z"}'
    expect(shown(input, masks)).toBe('{"users":[{"mail":"•••","deep":{"mail":"y"}}],"mail":"z"}')
    expect(shown('["a","b"]', masks)).toBe('["•••","b"]')
  })

  test('far behind in an array', () => {
    const input = JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ id, password: `p${id}` })))
    const masked = through(createMaskedJson(passwords), [Buffer.from(input)])
    expect(masked).not.toMatch(/"p\d/)
    expect(JSON.parse(masked)).toHaveLength(100)
  })

  test.each([
    ['partial', '{"password":"s•••"}'],
    ['null', '{"password":null}'],
    ['hash', expect.stringMatching(/^\{"password":"#[0-9a-f]{12}"\}$/)],
  ] as const)('in style %s', (style, expected) => {
    expect(shown('{"password":"secret-word"}', masksFor({ fields: ['password'], style }))).toEqual(expected)
  })

  test('the same hash however it is written', () => {
    const masks = masksFor({ fields: ['password'], style: 'hash' })
    expect(shown('{"password":"\\u0061b"}', masks)).toBe(shown('{"password":"ab"}', masks))
  })
})

describe('detectors', () => {
  test.each([
    ['in a string', '{"note":"write to ana@acme.com!"}', '{"note":"write to •••!"}'],
    ['behind escapes', '["ana\\u0040acme.com \\"x\\""]', '["••• \\"x\\""]'],
    ['behind a line end', '["a\\n4111111111111111"]', '["a\\n•••"]'],
    ['a card that is a number', '{"card":4111111111111111,"n":12}', '{"card":null,"n":12}'],
    ['a card that is written with an exponent', '[4.111111111111111e15]', '[null]'],
    ['not in names', '{"ana@acme.com":1}', '{"ana@acme.com":1}'],
    ['a string alone', '"ana@acme.com"', '"•••"'],
    ['a number alone', '4111111111111111', 'null'],
    ['nothing', '{"a":"b","c":[123456789012345,1.5]}', '{"a":"b","c":[123456789012345,1.5]}'],
    ['what is no JSON, as text', '{"a": NaN, "b": "ana@acme.com"}', '{"a": NaN, "b": "•••"}'],
    ['what breaks off in a string, as text', '{"b": "ana@acme.com', '{"b": "•••'],
  ])('%s', (_, input, expected) => {
    expect(shown(input, emails)).toBe(expected)
  })

  test('beside members', () => {
    expect(shown('{"password":"x","to":"ana@acme.com"}', both)).toBe('{"password":"•••","to":"•••"}')
  })

  test('a string that is too long to be looked at is withheld, and the rest is shown', () => {
    const input = `{"a":"${'x'.repeat(1024 * 1024 + 1)}","b":"ok"}`
    const pieces = [Buffer.from(input.slice(0, 5000)), Buffer.from(input.slice(5000))]
    expect(through(createMaskedJson(emails), pieces)).toBe('{"a":"•••","b":"ok"}')
    expect(through(createMaskedJson(emails), [Buffer.from(input)])).toBe('{"a":"•••","b":"ok"}')
  })
})

describe('what claims to be JSON and is not', () => {
  test.each(['{"a":1,}', 'hello', '{"a":NaN}', '{"password": "x', '[1', `{"a":'b'}`, '{"a":1} x', ")]}',\n{}"])(
    'is withheld as a whole where members are masked: %s',
    (input) => {
      expect(shownBy(() => createJsonLook(passwords), input)).toMatch(/^withheld: it is no JSON, though it says so/)
    },
  )

  test('is cut off where it turns out late', () => {
    const passage = createJsonLook(passwords)
    const long = Buffer.from(`["${'x'.repeat(70_000)}",`)
    expect(passage.push(long)).toHaveLength(long.length)
    expect(() => passage.push(Buffer.from('oops'))).toThrow('it is no JSON')
  })

  test('goes on at once behind each value of a sequence', () => {
    const passage = createJsonLook(passwords)
    expect(passage.push(Buffer.from('{"password":"x"}\n{"a"')).toString()).toBe('{"password":"•••"}\n{"a"')
  })
})
