import { describe, expect, it } from 'vitest'
import type { Command, Field } from '../../../src/contract/command.ts'
import type { MaskRule } from '../../../src/gateway/config/schema.ts'
import { compileRecordMasks } from '../../../src/gateway/policy/masks.ts'
import { redactCommand } from '../../../src/gateway/policy/redact-command.ts'

const target = { name: 'api', protocol: 'http', labels: {} } as const
const masksOf = (rule?: Partial<MaskRule>) =>
  compileRecordMasks(
    rule === undefined ? [] : [{ name: 'mask', match: {}, style: 'redact', ...rule }],
    target,
    Buffer.from('a key of the test'),
  )

function command(text: string, fields: Field[] = []): Command {
  const [verb = '', path = ''] = text.split(/[ ?\n]/, 2)
  const action = { verb, kind: 'write' as const, objects: [path], unbounded: false }
  return {
    protocol: 'http',
    verb,
    objects: [path],
    text,
    parameters: [],
    actions: [action],
    facts: { kind: 'write', unbounded: false, dynamic: false, parsed: true, functions: [], reaches: [] },
    fields,
  }
}

const shown = (text: string, rule?: Partial<MaskRule>, fields?: Field[]) =>
  redactCommand(command(text, fields), masksOf(rule))
const post = (body: string, type = 'application/json') => `POST /x\nContent-Type: ${type}\n\n${body}`
const bodyShown = (body: string, type?: string, rule?: Partial<MaskRule>) =>
  shown(post(body, type), rule).text.split('\n\n').slice(1).join('\n\n')

describe('a request that is written down', () => {
  it('is the very same where there is nothing to hide, and is looked at once', () => {
    const asked = command(post('{"a": "b", "n": [1, 2]}'))
    const masks = masksOf({ fields: ['ssn'], detectors: ['email', 'card'] })
    expect(redactCommand(asked, masks)).toBe(asked)
    const hidden = command('GET /x?token=abc')
    expect(redactCommand(hidden, masks)).toBe(redactCommand(hidden, masks))
    expect(redactCommand(hidden, masksOf({ detectors: ['email'] }))).not.toBe(redactCommand(hidden, masks))
  })

  it.each([
    ['GET /x?a=b&api_key=abc&c=d', 'GET /x?a=b&api_key=•••&c=d'],
    ['GET /x?api%5Fkey=abc', 'GET /x?api%5Fkey=•••'],
    ['GET /x?a=1;password=x', 'GET /x?a=1;password=•••'],
    ['GET /x?password=x;y', 'GET /x?password=•••'],
    ['GET /x?access_token=a%26b', 'GET /x?access_token=•••'],
    ['GET /x?page_token=abc', 'GET /x?page_token=abc'],
    ['GET /x\nX-Session-Token: abc\nAccept: */*', 'GET /x\nX-Session-Token: •••\nAccept: */*'],
    ['GET /x?dsn=postgres://ana:pw@host/db', 'GET /x?dsn=postgres://ana:•••@host/db'],
  ])('never has secrets, configured or not: %s', (text, expected) => {
    expect(shown(text).text).toBe(expected)
  })

  it.each([
    ['{"password":"x","a":1}', '{"password":"•••","a":1}'],
    ['{"p\\u0061ssword" : "x"}', '{"p\\u0061ssword" : "•••"}'],
    ['{"user":{"clientSecret":"a\\"b"},"n":1}', '{"user":{"clientSecret":"•••"},"n":1}'],
    ['{"tokens":["a","b"],"pin":1234}', '{"tokens":"•••","pin":"•••"}'],
    ['{"credentials":{"user":"a"}}', '{"credentials":"•••"}'],
    ['{"secret":true,"x":null}', '{"secret":true,"x":null}'],
    ['{"a":"{\\"password\\":\\"x\\"}"}', '{"a":"{\\"password\\":\\"•••\\"}"}'],
    ['{"sql":"ALTER ROLE a PASSWORD \'x\'"}', '{"sql":"ALTER ROLE a PASSWORD \'•••\'"}'],
    ['{"password":"a","password":"b"}', '{"password":"•••","password":"•••"}'],
  ])('never has secrets in its JSON: %s', (body, expected) => {
    expect(bodyShown(body)).toBe(expected)
    expect(bodyShown(body, 'text/plain')).toBe(expected)
  })

  it.each([
    ['{"password":"abc",}', '{"password":•••,}'],
    ["{password: 'abc'}", '{password: •••}'],
    ['{"password": ["abc", "def"', '{"password": •••'],
    ['{"p\\u0061ssword":"abc",}', '(24 signs that could not be read)'],
    ['user=a password=abc', 'user=a password=•••'],
    ['<user><name>a</name><password>abc</password></user>', '<user><name>a</name><password>•••</password></user>'],
    ['<s:password type="x">abc</s:password>', '<s:password type="x">•••</s:password>'],
    ['user: a\ntoken: abc\n', 'user: a\ntoken: •••\n'],
  ])('never has secrets in text of whatever form: %s', (body, expected) => {
    expect(bodyShown(body)).toBe(expected)
  })

  it.each(['application/x-ndjson', 'text/plain'])('never has secrets in lines of JSON sent as %s', (type) => {
    expect(bodyShown('{"a":1}\n{"token":"x"}\n', type)).toBe('{"a":1}\n{"token":"•••"}\n')
  })

  it('never has secrets in forms and parts', () => {
    expect(bodyShown('user=a&pass%77ord=x+y&b=1', 'application/x-www-form-urlencoded')).toBe(
      'user=a&pass%77ord=•••&b=1',
    )
    const parts = (secret: string) =>
      `--part\nContent-Disposition: form-data; name="user"\n\na\n--part\nContent-Disposition: form-data; name="password"\n\n${secret}`
    expect(bodyShown(parts('x\n\ny'), 'multipart/form-data; boundary=b')).toBe(parts('•••'))
  })

  it('has masks of members by their names and places, in body, query and header', () => {
    const rule: Partial<MaskRule> = { fields: ['ssn', '/user/email'], style: 'partial' }
    expect(bodyShown('{"user":{"email":"ana@acme.com","ssn":"536904399"},"email":"b@c.de"}', undefined, rule)).toBe(
      '{"user":{"email":"a•••@acme.com","ssn":"•••4399"},"email":"b@c.de"}',
    )
    expect(shown('GET /x?ssn=536904399\nSSN: 1', rule).text).toBe('GET /x?ssn=•••4399\nSSN: •••')
    expect(bodyShown('{"ssn":{"a":"long enough to see"}}', undefined, rule)).toBe('{"ssn":"•••"}')
    expect(bodyShown('{"ssn":"1"}', undefined, { fields: ['ssn'], style: 'null' })).toBe('{"ssn":null}')
  })

  it('shows nothing of a secret where a mask would show a part', () => {
    expect(bodyShown('{"password":"a long one"}', undefined, { fields: ['password'], style: 'partial' })).toBe(
      '{"password":"•••"}',
    )
  })

  it('has detectors at work behind escapes', () => {
    const rule: Partial<MaskRule> = { detectors: ['email', 'card'] }
    expect(shown('GET /x?to=ana%40acme.com', { detectors: ['email'] }).text).toBe('GET /x?to=•••')
    expect(bodyShown('{"a":"write to ana\\u0040acme.com","n":4111111111111111}', undefined, rule)).toBe(
      '{"a":"write to •••","n":"•••"}',
    )
  })

  it('has no more in its path and its objects than in its text', () => {
    const seen = shown('GET /users/ana%40acme.com/x', { detectors: ['email'] })
    expect(seen.text).toBe('GET /users/•••/x')
    expect(seen.objects).toEqual(['/users/•••/x'])
    expect(seen.actions[0]?.objects).toEqual(['/users/•••/x'])
    const fields = [{ at: 'path:ssn', value: '536904399' }]
    const person = shown('GET /people/536904399', { fields: ['ssn'] }, fields)
    expect(person.text).toBe('GET /people/•••')
    expect(person.objects).toEqual(['/people/•••'])
    expect(person.fields).toBeUndefined()
  })

  it('takes time in proportion to its length, whatever it holds', () => {
    for (const piece of ['a', 'a\\', 'password ', 'password:', '<a ', '<a>x', '"a":{', 'a=', "'", '%41', '--part\n'])
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'application/json',
        'multipart/form-data',
      ]) {
        const began = performance.now()
        bodyShown(piece.repeat(100_000 / piece.length), type, { fields: ['ssn'], detectors: ['email'] })
        expect(performance.now() - began, `${piece} as ${type}`).toBeLessThan(3000)
      }
  })
})
