import { describe, expect, it } from 'vitest'
import { readingsOf } from '../../../../../src/gateway/protocols/http/facts/path-readings.ts'

describe('readings of a path', () => {
  it.each([
    '/',
    '/v1/charges',
    '/v1/customers/cus_123/charges',
    '/.well-known/x',
    '/files/a.b.c',
    "/a~b!c$d'(e)*f+g,h=i:j@k",
  ])('is one of a plain path: %s', (path) => {
    expect(readingsOf(path)).toEqual({ readings: [path], doubt: undefined })
  })

  it.each([
    ['/admin/', '/admin'],
    ['//admin', '/admin'],
    ['/public/../admin', '/admin'],
    ['/public/%2e%2e/admin', '/admin'],
    ['/public/.%2E/admin', '/admin'],
    ['/public/%2e%2e/a%2fb', '/a%2fb'],
    ['/./admin', '/admin'],
    ['/admin/.', '/admin'],
    ['/../../admin', '/admin'],
    ['/public/..%2fadmin', '/admin'],
    ['/public/..%5cadmin', '/admin'],
    ['/public%2f..%2fadmin', '/admin'],
    ['/%61dmin', '/admin'],
    ['/%2561dmin', '/admin'],
    ['/public/%252e%252e%252fadmin', '/admin'],
    ['/public/..;/admin', '/admin'],
    ['/public/..;x=y/admin', '/admin'],
    ['/admin;jsessionid=1', '/admin'],
    ['/admin%3bjsessionid=1', '/admin'],
    ['/admin%3fx', '/admin'],
    ['/admin%23x', '/admin'],
    ['/admin%20', '/admin'],
    ['/%20admin', '/admin'],
    ['/admin.', '/admin'],
    ['/admin./x', '/admin/x'],
    ['/admin%c2%85', '/admin'],
    ['/admin%85', '/admin'],
    ['/admin%a0', '/admin'],
    ['/public/%u002e%u002e/admin', '/admin'],
    ['/public%ef%bc%8f%ef%bc%8e%ef%bc%8e%ef%bc%8fadmin', '/admin'],
    ['/a//../b', '/b'],
    ['/a//../b', '/a/b'],
    ['/r%c3%a9sum%c3%a9', '/résumé'],
    ['/r%e9sum%e9', '/résumé'],
  ])('of %s has among them %s', (path, reading) => {
    const found = readingsOf(path)
    expect(found.doubt).toBeUndefined()
    expect(found.readings[0]).toBe(path)
    expect(found.readings).toContain(reading)
  })

  it.each([
    ['/admin%00.css', 'control'],
    ['/a%0d%0aX:%20y', 'control'],
    ['/a%2509', 'control'],
    ['/a%c0%afb', 'UTF-8'],
    ['/a%25c0%25aeb', 'UTF-8'],
    ['/a%e0%80%afb', 'UTF-8'],
    ['/%25252e%25252e/', 'more than twice'],
    ['/x/..//../%2e./;/..//a%2f%2e%2e;b%5c..//%2e/;c', 'too many ways'],
    [`/${'a/'.repeat(5000)}`, 'too long'],
  ])('is a doubt of %s', (path, why) => {
    const found = readingsOf(path)
    expect(found.readings).toEqual([path])
    expect(found.doubt).toContain(why)
  })

  it('takes no longer for a path that was made for it', () => {
    const began = performance.now()
    for (const piece of ['/', '%2f', '/..', ';', '.', '%20', '%25', '\\', '/.;'])
      readingsOf(`/${piece.repeat(Math.floor(8000 / piece.length))}x`)
    expect(performance.now() - began).toBeLessThan(5000)
  })
})
