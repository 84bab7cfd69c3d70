import { expect, it } from 'vitest'
import { excerpt, visibleSpans } from '../../../src/tui/text/visible.ts'

it('marks stand-ins, so that the same characters typed cannot pass for them', () => {
  expect(visibleSpans('a\x1b<U+001B>')).toEqual([
    { text: 'a', tone: undefined },
    { text: '␛', tone: 'hidden' },
    { text: '<U+001B>', tone: undefined },
  ])
})

it('puts an excerpt on one line in which a comment visibly ends', () => {
  expect(excerpt('-- fine\r\n\n\t DROP   TABLE x;\n')).toBe('-- fine ↵ DROP TABLE x;')
})
