/** The comparison is the whole proof: it has to see what differs, and to take only reasons that fit. */
import { expect, test } from 'vitest'
import { compare } from '../../scripts/conformance-ssh/compare.ts'
import type { Ran } from '../../scripts/conformance-ssh/run-script.ts'
import { scripts } from '../../scripts/conformance-ssh/scripts.ts'

const ran = (passed: boolean, ...lines: string[]): Ran => ({ name: 'x', passed, lines, seconds: 1 })
const because = { differences: [{ line: /^\+ weak/, why: 'it is weak' }] }

test('the same lines and the same end are the same, wherever the lines stand', () => {
  expect(compare({}, ran(true, 'a', 'b'), ran(true, 'b', 'a'))).toEqual({ verdict: 'same', changes: [], reasons: [] })
})

test.each([
  ['a line more', ran(true, 'a'), ran(true, 'a', 'b'), ['+ b']],
  ['a line less', ran(true, 'a', 'b'), ran(true, 'a'), ['- b']],
  ['a line twice', ran(true, 'a'), ran(true, 'a', 'a'), ['+ a']],
  ['another end without a word', ran(true, 'a'), ran(false, 'a'), []],
])('%s is a difference', (_, direct, through, changes) => {
  expect(compare({}, direct, through)).toEqual({ verdict: 'different', changes, reasons: [] })
})

test('a difference is explained only if each of its lines is', () => {
  const one = ran(true, 'ok all')
  expect(compare(because, one, ran(false, 'weak cipher', 'failed all'))).toMatchObject({ verdict: 'explained' })
  expect(compare(because, one, ran(false, 'weak cipher', 'lost bytes', 'failed all'))).toMatchObject({
    verdict: 'different',
  })
  // Nor is a failure explained by its closing line alone.
  expect(compare({}, one, ran(false, 'failed all'))).toMatchObject({ verdict: 'different' })
})

test('a difference that may be met once does not explain a second one', () => {
  const differences = [{ line: /lost/, times: 1, why: 'once' }]
  const lost = (times: number) => ran(false, ...Array.from({ length: times }, () => 'lost'))
  expect(compare({ differences }, ran(true), lost(1)).verdict).toBe('explained')
  expect(compare({ differences }, ran(true), lost(2)).verdict).toBe('different')
})

test('what the gateway does not offer is known by the script’s own words', () => {
  const { differences = [] } = scripts.find(({ name }) => name === 'try-ciphers') ?? {}
  const failed = (what: string) => compare({ differences }, ran(true), ran(false, `ssh failed with ${what}`)).verdict
  expect(failed('mac hmac-sha1 cipher aes128-cbc')).toBe('explained')
  expect(failed('mac hmac-md5-etm@openssh.com cipher aes256-ctr')).toBe('explained')
  expect(failed('mac hmac-sha2-256-etm@openssh.com cipher aes256-ctr')).toBe('different')
  expect(failed('mac hmac-sha1 cipher aes128-gcm@openssh.com')).toBe('different')
})
