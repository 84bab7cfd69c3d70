import { describe, expect, it } from 'vitest'
import { type Field, unknownName } from '../../../src/contract/command.ts'
import { compileCondition, readsFields, readsText } from '../../../src/gateway/policy/conditions.ts'
import { compileFieldRule } from '../../../src/gateway/policy/field-rules.ts'

/** `body:/role=admin` → a field. */
const fields = (...given: string[]): Field[] =>
  given.map((text) => ({ at: text.slice(0, text.indexOf('=')), value: text.slice(text.indexOf('=') + 1) }))
const touches = (patterns: string[], ...given: string[]) => compileFieldRule(patterns, 'touches')(fields(...given))
const covers = (patterns: string[], ...given: string[]) => compileFieldRule(patterns, 'covers')(fields(...given))
const unread = `body:${unknownName}=${unknownName}`

describe('a rule that restricts by fields', () => {
  it.each([
    [['body:/role=admin'], 'body:/role=admin', true],
    [['body:/role=admin'], 'body:/Role=ADMIN', true],
    [['body:/role=admin'], 'body:/role=user', false],
    [['body:/role=admin'], 'body:/user/role=admin', false],
    [['body:*/role=admin'], 'body:/user/role=admin', true],
    [['body:/role'], 'body:/role=anything', true],
    [['query:force=*'], 'query:force=', true],
    [['query:force=true'], 'body:/force=true', true],
    [['body:/force=true'], 'query:force=true', true],
    [['body:/a/force=true'], 'query:force=true', false],
    [['header:x-tenant=acme'], 'header:x-tenant=acme', true],
    [['body:/a\\=b=c'], 'body:/a=b=c', false],
    [['query:{a,b}={1,2}'], 'query:b=2', true],
    [['*=secret'], 'header:x=secret', true],
    [['path:id=7'], 'query:id=7', false],
  ])('%j touches %s: %s', (patterns, given, expected) => {
    expect(touches(patterns, given)).toBe(expected)
  })

  it('finds a name with an equals sign', () => {
    expect(compileFieldRule(['query:a\\=b=c'], 'touches')([{ at: 'query:a=b', value: 'c' }])).toBe(true)
  })

  it('applies where one of several values fits', () => {
    expect(touches(['query:role=admin'], 'query:role=user', 'query:role=admin')).toBe(true)
  })

  it('applies where the body was not read and its values may be what is meant', () => {
    expect(touches(['body:/role=admin'], unread)).toBe(true)
    expect(touches(['*=admin'], unread)).toBe(true)
    expect(touches(['query:role=admin'], unread)).toBe(false)
    expect(touches(['header:x=y'], unread)).toBe(false)
  })

  it('does not apply where nothing is named', () => {
    expect(touches(['body:/role=admin'])).toBe(false)
  })
})

describe('a rule that allows by fields', () => {
  it.each([
    [['body:/currency=eur'], ['body:/currency=eur', 'body:/amount=5'], true],
    [['body:/currency=eur'], ['body:/currency=EUR'], false],
    [['body:/currency=eur'], ['body:/amount=5'], false],
    [['body:/currency={eur,usd}'], ['body:/currency=usd'], true],
    [['body:/currency=eur', 'body:/currency=usd'], ['body:/currency=usd'], true],
    [['body:/currency=eur', 'body:/amount=5'], ['body:/currency=eur'], false],
    [['body:/currency=eur', 'body:/amount=5'], ['body:/currency=eur', 'body:/amount=5'], true],
    [['body:/currency=eur'], ['body:/currency=eur', 'body:/currency=usd'], false],
    [['body:/currency=eur'], ['body:/currency=eur', 'body:/Currency=usd'], false],
    [['body:/currency=eur'], ['body:/currency=eur', 'query:currency=usd'], false],
    [['query:dry_run=true'], ['query:dry_run=true', 'body:/dry_run=false'], false],
    [['query:dry_run=true'], ['query:dry_run=true', 'header:x=y'], true],
    [['body:/currency=eur'], [unread], false],
    [['body:/currency=*'], [unread], false],
    [['query:dry_run=true'], ['query:dry_run=true', unread], true],
  ])('%j covers %j: %s', (patterns, given, expected) => {
    expect(covers(patterns, ...given)).toBe(expected)
  })
})

describe('command.fields of a condition', () => {
  const ask = (when: string, ...given: string[]) =>
    compileCondition(when)({
      command: {
        protocol: 'http',
        verb: 'POST',
        objects: [],
        text: '',
        parameters: [],
        actions: [],
        facts: { kind: 'write', unbounded: false, dynamic: false, parsed: true, functions: [], reaches: [] },
        fields: fields(...given),
      },
      action: { verb: 'POST', kind: 'write', objects: [], unbounded: false },
      target: { name: 'api', protocol: 'http', labels: {} },
      person: { user: 'ana', subject: '1', groups: [] },
      agent: null,
    })

  it.each([
    ['command.fields["body:/amount"].exists(v, double(v) > 1000.0)', ['body:/amount=1500'], true],
    ['command.fields["body:/amount"].exists(v, double(v) > 1000.0)', ['body:/amount=1e2'], false],
    ['command.fields["body:/amount"].exists(v, double(v) > 1000.0)', ['body:/AMOUNT=1500'], true],
    ['command.fields["body:/orderId"][0] == "7"', ['body:/orderid=7'], true],
    ['command.fields["body:/amount"].all(v, int(v) <= 5)', ['body:/amount=5', 'body:/Amount=6'], false],
    ['"body:/amount" in command.fields', ['body:/Amount=6'], true],
    ['"body:/other" in command.fields', ['body:/Amount=6'], false],
    ['command.fields.exists(at, at.startsWith("body:/items/"))', ['body:/items/0=6'], true],
  ])('%s of %j is %s', (when, given, expected) => {
    expect(ask(when, ...given)).toBe(expected)
  })

  it.each([
    ['a value that is not there', 'command.fields["body:/other"][0] == "x"', 'body:/amount=5'],
    ['a value that is no number', 'command.fields["body:/amount"].exists(v, double(v) > 1.0)', 'body:/amount=x'],
    ['a value of a body that was not read', 'command.fields["body:/amount"].exists(v, v == "1")', unread],
    ['whether a body that was not read has a value', '"body:/amount" in command.fields', unread],
  ])('cannot be worked out for %s, so that it restricts and does not allow', (_, when, given) => {
    expect(ask(when, given)).toBeUndefined()
  })

  it('is known to be looked at, or not', () => {
    expect(readsFields('command.fields["a"][0] == "b"')).toBe(true)
    expect(readsFields('command.verb == "GET"')).toBe(false)
    expect(readsText('command.fields["a"][0] == "b"')).toBe(false)
    expect(readsText('command == command')).toBe(true)
  })
})
