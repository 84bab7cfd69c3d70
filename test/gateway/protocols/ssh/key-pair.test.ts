import ssh2 from 'ssh2'
import { expect, it } from 'vitest'
import { generateKeyPair } from '../../../../src/gateway/protocols/ssh/key-pair.ts'

it('makes only pairs that can be read: ssh2 by itself fails once in 256', () => {
  const pairs = Array.from({ length: 2000 }, () => generateKeyPair())
  const spoilt = pairs.filter((pair) =>
    [pair.private, pair.public].some((key) => ssh2.utils.parseKey(key) instanceof Error),
  )
  expect(spoilt).toEqual([])
})
