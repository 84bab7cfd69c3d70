import { pbkdf2Sync } from 'node:crypto'
import { expect, it } from 'vitest'
import { saltedPassword } from '../../../../src/gateway/protocols/postgres/salted.ts'

const salt = Buffer.from('saltSALTsalt')

it('is what SCRAM asks for', async () => {
  // "ﬁ" is normalised (RFC 5802 section 2.2, SASLprep).
  expect(await saltedPassword('paﬁ', salt, 4096)).toEqual(pbkdf2Sync('pafi', salt, 4096, 32, 'sha256'))
})

it('is computed once, also for many who ask at once', async () => {
  const first = saltedPassword('pw', salt, 4096)
  expect(saltedPassword('pw', Buffer.from(salt), 4096)).toBe(first)
  await first
  expect(saltedPassword('pw', salt, 4096)).toBe(first)
})

it.each<[string, string, Buffer, number]>([
  ['password', 'pw2', salt, 4096],
  ['salt', 'pw', Buffer.from('another'), 4096],
  ['count', 'pw', salt, 4097],
])('is another for another %s', async (_, password, otherSalt, iterations) => {
  expect(await saltedPassword(password, otherSalt, iterations)).toEqual(
    pbkdf2Sync(password, otherSalt, iterations, 32, 'sha256'),
  )
})

it('is not remembered when it could not be computed', async () => {
  await expect(saltedPassword('pw', salt, 0)).rejects.toThrow()
  await expect(saltedPassword('pw', salt, 0)).rejects.toThrow()
})

it('forgets the one that was not used for longest', async () => {
  const first = saltedPassword('first', salt, 1)
  const second = saltedPassword('second', salt, 1)
  for (let n = 0; n < 199; n++) {
    await saltedPassword(`${n}`, salt, 1)
    expect(saltedPassword('first', salt, 1)).toBe(first)
  }
  expect(saltedPassword('second', salt, 1)).not.toBe(second)
})
