import { describe, expect, it } from 'vitest'
import { compileTemplate } from '../../src/base/path-template.ts'

describe('a path template', () => {
  it.each([
    ['/v1/customers/{id}', '/v1/customers/7', [['id', '7']]],
    ['/v1/customers/{id}', '/V1/Customers/Ab', [['id', 'Ab']]],
    [
      '/v1/{a}/{b}',
      '/v1/x/y',
      [
        ['a', 'x'],
        ['b', 'y'],
      ],
    ],
    ['/v1/{id}:capture', '/v1/7:Capture', [['id', '7']]],
    ['/files/{path*}', '/files/a/b', [['path', 'a/b']]],
    ['/files/{path*}', '/files/', [['path', '']]],
    ['/fixed', '/fixed', []],
    ['/v1/customers/{id}', '/v1/customers', undefined],
    ['/v1/customers/{id}', '/v1/customers/', undefined],
    ['/v1/customers/{id}', '/v1/customers/7/charges', undefined],
    ['/v1/{id}:capture', '/v1/:capture', undefined],
    ['/files/{path*}', '/files', undefined],
  ])('%s reads %s as %j', (template, path, expected) => {
    expect(compileTemplate(template).read(path)).toEqual(expected)
  })

  it.each(['v1', '/v1/{id', '/v1/id}', '/v1/{}', '/{a}{b}', '/{a}-{b}', '/{a}/{a}', '/{a*}/b', '/{a b}'])(
    'is not %s',
    (template) => {
      expect(() => compileTemplate(template)).toThrow('the template "')
    },
  )
})
