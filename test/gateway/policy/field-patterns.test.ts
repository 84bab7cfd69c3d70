import { describe, expect, it } from 'vitest'
import { compileFields } from '../../../src/gateway/policy/field-patterns.ts'

const styles = (...patterns: string[]) => compileFields(patterns.map((pattern) => ({ pattern, style: 'redact' })))

describe('members that masks mean', () => {
  it.each([
    ['password', ['password'], true],
    ['password', ['users', '0', 'Password'], true],
    ['password', ['password', 'hash'], false],
    ['*_token', ['a', 'access_token'], true],
    ['/customer/email', ['customer', 'email'], true],
    ['/customer/email', ['Customer', 'EMAIL'], true],
    ['/customer/email', ['email'], false],
    ['/customer/email', ['customer', 'email', 'host'], false],
    ['/items/*/price', ['items', '12', 'price'], true],
    ['/items/*/price', ['items', '12', 'x', 'price'], false],
    ['/a~1b/~0', ['a/b', '~'], true],
  ])('%s is at %j: %s', (pattern, path, expected) => {
    for (let twice = 0; twice < 2; twice++) expect(styles(pattern).at(path) !== undefined).toBe(expected)
  })

  it('have the strictest style of those that fit', () => {
    const { at } = compileFields([
      { pattern: 'email', style: 'partial' },
      { pattern: '/customer/*', style: 'hash' },
      { pattern: 'e*', style: 'partial' },
    ])
    expect(at(['customer', 'email'])).toBe('hash')
    expect(at(['email'])).toBe('partial')
    expect(at(['customer', 'name'])).toBe('hash')
  })

  it('may be told by their names alone', () => {
    const { means } = styles('password', '/customer/email')
    expect(['Password', 'email', 'customer', 'name'].map(means)).toEqual([true, true, false, false])
  })

  it('take no time where nobody masks them', () => {
    const { at } = styles('password', 'ssn', '/customer/email')
    const began = performance.now()
    for (let round = 0; round < 200_000; round++) at(['items', '3', 'price'])
    expect(performance.now() - began).toBeLessThan(2000)
  })

  it('refuses patterns that are none', () => {
    expect(() => styles('{a')).toThrow('opens a brace')
    expect(() => styles('/a/{b')).toThrow('opens a brace')
  })
})
