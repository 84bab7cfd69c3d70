import { expect, it } from 'vitest'
import { nameKey } from '../../../../src/gateway/protocols/postgres/messages.ts'
import { Names } from '../../../../src/gateway/protocols/postgres/names.ts'

it('a name means what was forwarded last, also before the server has answered', () => {
  const names = new Names<string>()
  names.change('s', 'SELECT 1', 0)
  expect(names.meaning('s')).toEqual({ value: 'SELECT 1', group: 0 })
})

it('a name means what it meant before when the server skips the change', () => {
  const names = new Names<string>()
  names.accept('s', 'DELETE FROM t')
  const close = names.change('s', undefined, 0)
  const parse = names.change('s', 'SELECT 1', 0)
  close(false)
  parse(false)
  expect(names.meaning('s')).toEqual({ value: 'DELETE FROM t', group: undefined })
})

it('a later change wins over an earlier one that is accepted after it', () => {
  const names = new Names<string>()
  const first = names.change('s', 'one', 0)
  names.change('s', 'two', 1)
  first(true)
  expect(names.meaning('s').value).toBe('two')
})

it('a change of all names is a change of each', () => {
  const names = new Names<string>()
  names.accept('s', 'one')
  names.change(undefined, undefined, 3)
  expect(names.meaning('s')).toEqual({ value: undefined, group: 3 })
})

it('names that the server takes for one have one key', () => {
  const long = 'a'.repeat(63)
  expect(nameKey(Buffer.from(`${long}b`), 'UTF8')).toBe(nameKey(Buffer.from(`${long}c`), 'UTF8'))
})

it('a name that the server may read in another encoding has no key', () => {
  expect(nameKey(Buffer.from('é'), 'LATIN1')).toBeUndefined()
  expect(nameKey(Buffer.from([0xe9]), 'UTF8')).toBeUndefined()
  expect(nameKey(Buffer.from('é'), 'UTF8')).toBe('é')
})
