import { createHash, randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { Digest } from '../../../../../src/gateway/protocols/ssh/sftp/digest.ts'

const file = randomBytes(100_000)
const expected = createHash('sha256').update(file).digest('hex')
const pieceBytes = 1000
const places = Array.from({ length: file.length / pieceBytes }, (_, index) => index * pieceBytes)

function digestOf(order: readonly number[], length = pieceBytes): Digest {
  const digest = new Digest()
  for (const at of order) digest.add(at, file.subarray(at, at + length))
  return digest
}

it.each([
  ['in order', places],
  ['backwards', places.toReversed()],
  ['in pairs', places.flatMap((at, index) => (index % 2 === 0 ? [at + pieceBytes, at] : []))],
  ['one of them twice, ahead of its time', [pieceBytes, pieceBytes, ...places.filter((at) => at !== pieceBytes)]],
])('is that of the file: pieces %s', (_how, order) => {
  expect(digestOf(order).sha256()).toBe(expected)
})

it('is that of the file when short reads are filled in later', () => {
  const digest = new Digest()
  for (const at of places) digest.add(at, file.subarray(at, at + 600))
  for (const at of places) digest.add(at + 600, file.subarray(at + 600, at + pieceBytes))
  expect(digest.sha256()).toBe(expected)
  expect(digest.bytes).toBe(file.length)
})

it.each([
  ['has a gap', () => digestOf(places.filter((at) => at !== 5000))],
  ['begins in the middle', () => digestOf(places.slice(1))],
  ['went through twice', () => digestOf([...places, 0])],
  ['has pieces that overlap', () => digestOf(places, pieceBytes + 1)],
  [
    'has two pieces for one place',
    () => {
      const digest = new Digest()
      digest.add(10, Buffer.from('one'))
      digest.add(10, Buffer.from('two'))
      digest.add(0, Buffer.alloc(10))
      return digest
    },
  ],
  [
    'is in more disorder than is kept',
    () => {
      const digest = new Digest()
      const piece = Buffer.alloc(1024 * 1024)
      for (let at = 10; at > 0; at -= 1) digest.add(at * piece.length, piece)
      digest.add(0, piece)
      return digest
    },
  ],
  [
    'was changed by the target itself',
    () => {
      const digest = digestOf(places)
      digest.spoil()
      return digest
    },
  ],
])('there is none of a file that %s', (_what, make) => {
  expect(make().sha256()).toBeNull()
})

it('of nothing is that of an empty file', () => {
  expect(new Digest().sha256()).toBe(createHash('sha256').digest('hex'))
})
