import { describe, expect, it } from 'vitest'
import { compileGlob, compileLooseNames, compileVerbs } from '../../../src/gateway/policy/patterns.ts'

describe('a glob', () => {
  it.each([
    ['public.*', 'public.users', true],
    ['public.*', 'secret.users', false],
    ['*', '', true],
    ['*', 'any/thing.at all', true],
    ['*.users', 'public.users', true],
    ['/srv/*/conf', '/srv/a/b/conf', true],
    ['pg-?', 'pg-1', true],
    ['pg-?', 'pg-12', false],
    ['pg-{prod,stage}', 'pg-stage', true],
    ['pg-{prod,stage}', 'pg-', false],
    ['a{b,c{d,e}}f', 'acef', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a\\{b\\}', 'a{b}', true],
    ['.*', 'abc', false],
    ['Users', 'users', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
  ])('%s against %s: %s', (pattern, name, fits) => {
    expect(compileGlob(pattern)(name)).toBe(fits)
  })

  it.each(['a{b', 'a}b', 'a\\', '{a,b}'.repeat(12)])('refuses %s, which is not a pattern', (pattern) => {
    expect(() => compileGlob(pattern)).toThrow(/pattern/)
  })

  it('takes no exponential time over a name made to hurt', () => {
    const fits = compileGlob('*a*a*a*a*a*a*a*a*b')
    const started = performance.now()
    expect(fits('a'.repeat(20_000))).toBe(false)
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})

describe('a verb pattern', () => {
  it.each([
    ['DROP', 'DROP TABLE', true],
    ['drop', 'DROP TABLE', true],
    ['DROP TABLE', 'DROP TABLE', true],
    ['DROP TABLE', 'DROP', false],
    ['DR', 'DROP', false],
    ['*', 'SELECT', true],
    ['create pods/*', 'create pods/exec', true],
  ])('%s against %s: %s', (pattern, verb, fits) => {
    expect(compileVerbs([pattern])(verb)).toBe(fits)
  })
})

describe('a name in a rule that restricts', () => {
  it.each([
    ['pg_read_file', 'pg_catalog.pg_read_file', true],
    ['public.users', 'users', true],
    ['public.users', 'secret.users', false],
    ['users', 'public.users', true],
    ['users', '/srv/app.users', false],
    ['public.users', 'orders', false],
  ])('%s against %s: %s', (pattern, name, fits) => {
    expect(compileLooseNames([pattern])(name)).toBe(fits)
  })
})

describe('a name that stands for many, in a rule that restricts', () => {
  it.each([
    ['prod/db-*', 'prod/*', true],
    ['prod/db-0', 'prod/*', true],
    ['prod/db-0', '*/*', true],
    ['prod/*', '*/*', true],
    ['*/db-0', 'prod/*', true],
    ['prod/db-?', 'prod/db-*', true],
    ['{prod,live}/db', 'live/*', true],
    ['prod/api-*', 'prod/api-*', true],
    ['prod/*-db', 'prod/api-*', true],
    ['prod/*', 'staging/*', false],
    ['prod/db-0', 'staging/*', false],
    ['prod/web', 'prod/api-*', false],
    ['prod/?', 'prod/ab*', false],
    ['node-1', 'prod/*', false],
    ['', '*', true],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(compileLooseNames([pattern])(name)).toBe(expected)
  })

  it('takes no exponential time', () => {
    expect(compileLooseNames([`${'*a'.repeat(50)}b`])(`${'*a'.repeat(2000)}c`)).toBe(false)
  })
})
