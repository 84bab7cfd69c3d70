import { expect, it } from 'vitest'
import { edit, insert } from '../../src/tui/editing.ts'
import { actionOf, type Binding, keyLabel, keysOf } from '../../src/tui/keys.ts'
import { barLine, helpLines } from '../../src/tui/parts/chrome.ts'
import * as review from '../../src/tui/screens/review/keys.ts'
import * as tail from '../../src/tui/screens/tail/keys.ts'
import { lineWidth } from '../../src/tui/text/span.ts'

const tables: readonly (readonly [string, readonly Binding<string>[]])[] = [
  ['review list', review.listKeys],
  ['review detail', review.detailKeys],
  ['tail list', tail.listKeys],
  ['tail record', tail.recordKeys],
]
const none = {
  ...{ upArrow: false, downArrow: false, leftArrow: false, rightArrow: false, pageDown: false, pageUp: false },
  ...{ home: false, end: false, return: false, escape: false, ctrl: false, shift: false, tab: false },
  ...{ backspace: false, delete: false, meta: false, super: false, hyper: false, capsLock: false, numLock: false },
}

it.each(tables)('gives each key of the %s one meaning', (_, table) => {
  const keys = table.flatMap((binding) => binding.keys)
  expect(new Set(keys).size).toBe(keys.length)
  for (const binding of table) for (const key of binding.keys) expect(actionOf(table, key)).toBe(binding.action)
})

it.each([
  ['review', review.helpParts],
  ['tail', tail.helpParts],
] as const)('explains every key of the %s screen in its help, uncut at 80 columns', (_, parts) => {
  const help = helpLines<string>(parts, 80).map((line) => line.map(({ text }) => text).join(''))
  for (const line of help) expect(line.length).toBeLessThanOrEqual(80)
  expect(help.join('\n')).not.toContain('…')
  for (const { table } of parts)
    for (const { keys, help: words } of table)
      expect(help.some((line) => line.includes(` ${keys.map(keyLabel).join(' ')} `) && line.includes(words))).toBe(true)
})

it.each([20, 40, 80])('keeps how to get help and out in a bottom line of %i columns', (width) => {
  const line = barLine<string>(review.listKeys, width)
  expect(lineWidth(line)).toBe(width)
  expect(line.map(({ text }) => text).join('')).toMatch(/\? help {2}q quit/)
})

it('splits what was typed fast into keys', () => {
  expect(keysOf('jjG', none)).toEqual(['j', 'j', 'G'])
  expect(keysOf('orders\r', none)).toEqual(['o', 'r', 'd', 'e', 'r', 's', 'enter'])
  expect(keysOf('/\x15x', none)).toEqual(['/', 'ctrl+u', 'x'])
  expect(keysOf('\x00\x1f', none)).toEqual([])
})

it('names special keys, and gives no name to what a modifier changes', () => {
  expect(keysOf('', { ...none, pageUp: true })).toEqual(['pageUp'])
  expect(keysOf('u', { ...none, ctrl: true })).toEqual(['ctrl+u'])
  expect(keysOf('a', { ...none, meta: true })).toEqual([])
})

it('edits one line by grapheme', () => {
  expect(edit('ab👍', 'backspace')).toBe('ab')
  expect(edit('not on fridays', 'ctrl+w')).toBe('not on ')
  expect(edit('x', 'ctrl+u')).toBe('')
  expect(edit('x', '漢')).toBe('x漢')
  expect(edit('x', 'pageUp')).toBeUndefined()
})

it('takes pasted text on one line, without what hides, up to what the API takes', () => {
  expect(insert('a ', 'b\r\nc\u202e\x1b[31m')).toBe('a b c[31m')
  expect(insert('', 'x'.repeat(2000))).toHaveLength(1000)
})
