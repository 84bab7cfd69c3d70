import { describe, expect, it } from 'vitest'
import { readParts } from '../../src/base/multipart.ts'

const type = 'multipart/form-data; boundary=b'
const part = (head: string, content = 'x') => `--b\r\n${head}\r\n\r\n${content}\r\n`
const named = (name: string) => `Content-Disposition: form-data; name="${name}"`
const read = (body: string, contentType = type) => readParts(Buffer.from(body), contentType)

describe('multipart/form-data', () => {
  it('has names, file names, types and contents', () => {
    const body = `${part(named('a'), '1\r\n2')}${part(`${named('f')}; filename="x.png"\r\nContent-Type: image/png`)}${part(named('e'), '')}--b--\r\n`
    const found = read(body)
    if ('doubt' in found) throw new Error(found.doubt)
    expect(found.parts.map(({ start, end, ...rest }) => ({ ...rest, content: body.slice(start, end) }))).toEqual([
      { name: 'a', fileName: undefined, type: undefined, content: '1\r\n2' },
      { name: 'f', fileName: 'x.png', type: 'image/png', content: 'x' },
      { name: 'e', fileName: undefined, type: undefined, content: '' },
    ])
  })

  it.each(['multipart/form-data; boundary="a b:c"', 'multipart/form-data; charset=utf-8; Boundary=a-b'])(
    'has a boundary as %s says it',
    (contentType) => {
      const boundary = contentType.includes('"') ? 'a b:c' : 'a-b'
      expect(read(`${part(named('a')).replace('--b', `--${boundary}`)}--${boundary}--`, contentType)).toHaveProperty(
        'parts',
      )
    },
  )

  it.each([
    ['no boundary', `${part(named('a'))}--b--`, 'multipart/form-data'],
    ['two boundaries', `${part(named('a'))}--b--`, 'multipart/form-data; boundary=b; boundary=c'],
    ['an extended boundary', `${part(named('a'))}--b--`, "multipart/form-data; boundary=b; boundary*=utf-8''c"],
    ['a boundary of other signs', '--b<\r\n', 'multipart/form-data; boundary=b<'],
    ['text before the first part', `x\r\n${part(named('a'))}--b--`],
    ['text behind the last part', `${part(named('a'))}--b--\r\nx`],
    ['no end', part(named('a'))],
    ['bare line feeds', `${part(named('a')).replaceAll('\r\n', '\n')}--b--`],
    ['a bare line feed in a head', `${part(`${named('a')}\nX: y`)}--b--`],
    ['something behind a boundary', `${part(named('a')).replace('--b', '--b ')}--b--`],
    ['no name', `${part('Content-Disposition: form-data')}--b--`],
    ['no disposition', `${part('Content-Type: text/plain')}--b--`],
    ['another disposition', `${part('Content-Disposition: attachment; name="a"')}--b--`],
    ['a name twice', `${part(`${named('a')}; name="c"`)}--b--`],
    ['a name in a charset', `${part(`${named('a')}; name*=utf-8''c`)}--b--`],
    ['a name with an escape', `${part(named('a\\"b'))}--b--`],
    ['two dispositions', `${part(`${named('a')}\r\n${named('c')}`)}--b--`],
    ['a line that goes on', `${part('Content-Disposition: form-data;\r\n name="a"')}--b--`],
    ['an encoded part', `${part(`${named('a')}\r\nContent-Transfer-Encoding: base64`)}--b--`],
    ['a charset for all', `${part(named('_charset_'), 'utf-7')}--b--`],
    ['a head without content', `--b\r\n${named('a')}\r\n\r\n--b--`],
  ])('is a doubt with %s', (_, body, contentType = type) => {
    expect(read(body, contentType)).toHaveProperty('doubt')
  })
})
