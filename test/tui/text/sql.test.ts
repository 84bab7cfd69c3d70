import { expect, it } from 'vitest'
import { piecesOf } from '../../../src/tui/text/sql.ts'

const toned = (sql: string): string[] =>
  piecesOf(sql).flatMap(({ start, end, tone }) => (tone === undefined ? [] : [`${tone} ${sql.slice(start, end)}`]))

it.each([
  ['words that take away', 'drop Table', ['grave drop', 'keyword Table']],
  ['a string with a doubled quote', "'it''s'", ["literal 'it''s'"]],
  ['an escape string whose quote is guarded', "E'it\\'s' DROP", ["literal E'it\\'s'", 'grave DROP']],
  ['a plain string that ends in a backslash', "'\\' DROP", ["literal '\\'", 'grave DROP']],
  ['dollar quotes with and without a tag', '$$DROP$$ $a$ $$ $a$', ['literal $$DROP$$', 'literal $a$ $$ $a$']],
  ['parameters', '$1 $23', ['literal $1', 'literal $23']],
  ['quoted names', '"DROP" "a""b"', ['name "DROP"', 'name "a""b"']],
  ['a line comment', '-- DROP\nDROP', ['comment -- DROP', 'grave DROP']],
  ['nested block comments', '/* a /* b */ DROP */ DROP', ['comment /* a /* b */ DROP */', 'grave DROP']],
  ['numbers', '12 3.5e-7', ['literal 12', 'literal 3.5e-7']],
  ['words that contain a keyword', 'dropped _drop drop$ ürop', []],
])('tells %s apart', (_, sql, expected) => {
  expect(toned(sql)).toEqual(expected)
})

it.each(["'open", '"open', '$a$open', '/* open', "E'open\\", '$', 'a\0b\x1b', '😀漢', ''])(
  'loses nothing of %j',
  (sql) => {
    const pieces = piecesOf(sql)
    expect(pieces.map(({ start, end }) => sql.slice(start, end)).join('')).toBe(sql)
    expect(pieces.every(({ start, end }) => end > start)).toBe(true)
  },
)
