import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Answer } from '../../../../src/contract/record.ts'
import type { Masks } from '../../../../src/gateway/checkpoint.ts'
import type { Fields } from '../../../../src/gateway/protocols/http/exchange.ts'
import { keeperUnder } from '../../../../src/gateway/protocols/http/kept-answer.ts'
import { both, emails, noMasks, passwords } from './masking/masks.ts'

interface Given {
  readonly masks?: Masks
  readonly type?: string
  readonly fields?: Fields
  readonly limit?: number
  readonly whole?: boolean
}

async function kept(
  body: string | Buffer | readonly Buffer[],
  { masks = noMasks, type = 'application/json', fields = [], limit = 1000, whole = true }: Given = {},
): Promise<Answer> {
  const keeper = keeperUnder(masks, limit, { status: 200, fields: [['Content-Type', type], ...fields] })
  if (keeper === undefined) throw new Error('nothing is kept')
  for (const piece of Array.isArray(body) ? body : [Buffer.from(body as string)]) keeper.take(piece)
  return await keeper.answer(whole, 1.5)
}

const textOf = async (...given: Parameters<typeof kept>) => (await kept(...given)).body

describe('the body', () => {
  test('is text as it came', async () => {
    expect(await kept('{"a":1}')).toEqual({
      status: 200,
      headers: [['Content-Type', 'application/json']],
      body: { text: '{"a":1}', base64: false, truncated: false },
      firstByteMs: 1.5,
    })
  })

  test('is not there where there was none', async () => {
    expect(await textOf('')).toBeUndefined()
  })

  test('is not kept where none is wanted', () => {
    expect(keeperUnder(noMasks, 0, { status: 200, fields: [] })).toBeUndefined()
  })

  test('is cut at the limit, between characters', async () => {
    expect(await textOf('ééé', { limit: 3 })).toEqual({ text: 'é', base64: false, truncated: true })
    expect(await textOf(Buffer.alloc(5000, 'é'), { limit: 1001 })).toMatchObject({ truncated: true, base64: false })
  })

  test('that broke off says so', async () => {
    expect(await textOf('{"a":', { whole: false })).toEqual({ text: '{"a":', base64: false, truncated: true })
  })

  test('that is no text is base64', async () => {
    const bytes = Buffer.from([0xff, 0, 0xfe])
    expect(await textOf([bytes], { type: 'image/png' })).toEqual({ text: '/wD+', base64: true, truncated: false })
  })

  test('in another charset is read', async () => {
    expect(await textOf([Buffer.from([0xe9])], { type: 'text/plain; charset=latin1' })).toMatchObject({ text: 'é' })
  })

  test('is decoded, as far as it is there', async () => {
    const fields: Fields = [['Content-Encoding', 'gzip']]
    expect(await textOf([gzipSync('{"a":1}')], { fields })).toEqual({
      text: '{"a":1}',
      base64: false,
      truncated: false,
    })
    const long = gzipSync(Buffer.from(Array.from({ length: 9000 }, (_, at) => `"${Math.sin(at)}"`).join()))
    expect(await textOf([long], { fields, limit: 100 })).toMatchObject({ base64: false, truncated: true })
    expect(await textOf([Buffer.from('oops')], { fields })).toMatchObject({ text: '', truncated: true })
  })

  test('is masked', async () => {
    expect(await textOf('{"password":"x","to":"ana@acme.com"}', { masks: both })).toMatchObject({
      text: '{"password":"•••","to":"•••"}',
      truncated: false,
    })
    expect(
      await textOf([gzipSync('to ana@acme.com')], {
        masks: emails,
        type: 'text/plain',
        fields: [['content-encoding', 'gzip']],
      }),
    ).toMatchObject({
      text: 'to •••',
    })
  })

  test('is not kept where it cannot be masked', async () => {
    expect(await textOf('{oops', { masks: passwords })).toBeUndefined()
    expect(await textOf('x', { masks: emails, fields: [['Content-Encoding', 'compress']] })).toBeUndefined()
  })

  test.each([7, 11, 18, 20, 40])('says nothing of what a limit of %i cuts in two', async (limit) => {
    const text = `a b c d ana@acme.com ${'x '.repeat(2000)}`
    const body = await textOf(text, { masks: emails, type: 'text/plain', limit })
    expect(body?.text).not.toMatch(/ana/)
  })

  test('says nothing of what breaks off in two', async () => {
    const body = await textOf(`${'x '.repeat(600)} card 4111 1111 1111`, {
      masks: emails,
      type: 'text/plain',
      whole: false,
    })
    expect(body?.text).not.toMatch(/4/)
  })

  test('of JSON that breaks off shows what was read whole', async () => {
    expect(await textOf('{"a":"b","password":"x","c":"ana@acme', { masks: both, whole: false })).toMatchObject({
      text: '{"a":"b","password":"•••","c":',
      truncated: true,
    })
  })

  test('is as it was shown where the same was hidden in it already', async () => {
    const keeper = keeperUnder(both, 1000, { status: 200, fields: [['Content-Type', 'application/json']] }, both)
    keeper?.take(Buffer.from('{"to":"ana@acme.com"}'))
    expect((await keeper?.answer(true, 1))?.body?.text).toBe('{"to":"ana@acme.com"}')
    const other = keeperUnder(both, 1000, { status: 200, fields: [['Content-Type', 'application/json']] }, noMasks)
    other?.take(Buffer.from('{"to":"ana@acme.com"}'))
    expect((await other?.answer(true, 1))?.body?.text).toBe('{"to":"•••"}')
  })

  test.each([
    '{"a":{"password" : "x"}}',
    '{"pass\\u0077ord":"x"}',
    '{"\\"password":"x"}',
    '{"a\\\\":1,"client_secret"\n:\t"x"}',
    '{"db-password":["x"]}',
    '[{"PASSWORD":{"x":"x"}}]',
  ])('never holds a credential, however it is written: %s', async (body) => {
    expect((await textOf(body))?.text).not.toContain('"x"')
  })

  test('never holds what names itself a credential', async () => {
    const body = '{"access_token":"x","refreshToken":"y","clientSecret":"z","expires_in":3600,"total_tokens":7}'
    expect(await textOf(body)).toMatchObject({
      text: '{"access_token":"•••","refreshToken":"•••","clientSecret":"•••","expires_in":3600,"total_tokens":7}',
    })
    expect(await textOf('data: {"api_key":"x"}\n\n', { type: 'text/event-stream' })).toMatchObject({
      text: 'data: {"api_key":"•••"}\n\n',
    })
  })
})

describe('the head', () => {
  test('has no credentials, and is masked', async () => {
    const fields: Fields = [
      ['Set-Cookie', 'sid=1'],
      ['WWW-Authenticate', 'Negotiate abc'],
      ['X-Auth-Token', 'x'],
      ['X-Api-Key', 'x'],
      ['X-Amz-Security-Token', 'x'],
      ['X-To', 'ana@acme.com'],
      ['X-Request-Id', '7'],
    ]
    expect((await kept('', { masks: emails, fields })).headers).toEqual([
      ['Content-Type', 'application/json'],
      ['X-To', '***'],
      ['X-Request-Id', '7'],
    ])
  })
})
