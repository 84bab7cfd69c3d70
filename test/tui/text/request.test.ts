import { expect, it } from 'vitest'
import { piecesOfAnswer, piecesOfRequest } from '../../../src/tui/text/request.ts'

const toned = (text: string, pieces = piecesOfRequest(text)): string[] =>
  pieces.flatMap(({ start, end, tone }) => (tone === undefined ? [] : [`${tone} ${text.slice(start, end)}`]))

it.each([
  ['a request that reads', 'GET /v1/x?a=b', ['keyword GET', 'name  /v1/x?a=b']],
  ['one that changes', 'DELETE /v1/x', ['grave DELETE', 'name  /v1/x']],
  ['header fields', 'GET /\nAccept: a:b', ['keyword GET', 'name  /', 'quiet \nAccept:']],
  [
    'a body that is JSON',
    'PUT /\n\n{"a": "b\\"", "c": [1.5e3, true]}',
    [
      'grave PUT',
      'name  /',
      'quiet {',
      'name "a"',
      'quiet :',
      'literal "b\\""',
      'quiet ,',
      'name "c"',
      'quiet :',
      'quiet [',
      'keyword 1.5e3',
      'quiet ,',
      'keyword true',
      'quiet ]',
      'quiet }',
    ],
  ],
  ['any other body', 'PUT /\n\na "b" 1', ['grave PUT', 'name  /']],
])('tells %s apart', (_, text, expected) => {
  expect(toned(text)).toEqual(expected)
})

it('tells good answers from bad ones', () => {
  expect(toned('404 Not Found', piecesOfAnswer('404 Not Found'))).toEqual(['bad 404', 'name  Not Found'])
  expect(toned('200 OK', piecesOfAnswer('200 OK'))).toEqual(['good 200', 'name  OK'])
})

it.each([
  '',
  'GET',
  'GET /\n',
  'GET /\n\n',
  'GET /\nx',
  '\n\n{',
  'GET /\n\n["open',
  'GET /\n\n{"a\\',
  ' / \n\n[\0😀漢',
])('leaves nothing out of %j', (text) => {
  const pieces = piecesOfRequest(text)
  expect(pieces.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text)
  expect(pieces.every(({ start, end }) => end > start)).toBe(true)
})
