/** What counts as the credential, wherever it is cut. */
import { describe, expect, it } from 'vitest'
import { createEraser } from '../../../../../src/gateway/protocols/http/erasing.ts'

const secret = 'sk_live/a+b"c ü'
const forms = {
  'as it is': secret,
  'percent-encoded': encodeURIComponent(secret),
  'percent-encoded in lower case': encodeURIComponent(secret).replace(/%../g, (byte) => byte.toLowerCase()),
  'of a form': new URLSearchParams({ k: secret }).toString().slice(2),
  'of JSON': JSON.stringify(secret).slice(1, -1),
  'of JSON with escaped slashes': JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/'),
  base64: Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  'base64 for URLs': Buffer.from(secret).toString('base64url'),
}

function through(parts: readonly Buffer[]): string {
  const body = createEraser([secret]).body()
  return Buffer.concat([...parts.map((part) => body.push(part)), body.end()]).toString()
}

describe('the eraser', () => {
  it.each(Object.entries(forms))('finds the credential %s in a body, cut at any two places', (_name, form) => {
    const whole = Buffer.from(`{"echo":"${form}","next":"${form}"}`)
    const size = Buffer.byteLength(form)
    const clean = `{"echo":"${'*'.repeat(size)}","next":"${'*'.repeat(size)}"}`
    for (let at = 0; at <= whole.length; at++) expect(through([whole.subarray(0, at), whole.subarray(at)])).toBe(clean)
    expect(through([...whole].map((byte) => Buffer.of(byte)))).toBe(clean)
  })

  it.each(Object.entries(forms))('finds the credential %s in a field', (_name, form) => {
    const eraser = createEraser([secret])
    const value = Buffer.from(`before ${form} behind`).toString('latin1')
    expect(eraser.fields([['X-Echo', value]])).toEqual([
      ['X-Echo', `before ${'*'.repeat(Buffer.byteLength(form))} behind`],
    ])
  })

  it('keeps back nothing but what may be the beginning of it', () => {
    const body = createEraser([secret]).body()
    expect(body.push(Buffer.from('data: 1\n\n')).toString()).toBe('data: 1\n\n')
    expect(body.push(Buffer.from('data: sk_li')).toString()).toBe('data: ')
    expect(body.push(Buffer.from('ke\n\n')).toString()).toBe('sk_like\n\n')
    expect(body.push(Buffer.from('the end: sk_liv')).toString()).toBe('the end: ')
    expect(body.end().toString()).toBe('sk_liv')
  })

  it('leaves the bytes it was given as they are', () => {
    const given = Buffer.from(secret)
    createEraser([secret]).body().push(given)
    expect(given.toString()).toBe(secret)
  })

  it('does not look for what would be found everywhere', () => {
    expect(createEraser(['pass']).active).toBe(false)
  })
})
