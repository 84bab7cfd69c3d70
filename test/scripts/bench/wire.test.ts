/** The driver counts answers by their frames: however they are cut, the count has to be the same. */
import { expect, test } from 'vitest'
import { createScript, renew } from '../../../scripts/bench/driver/scripts.ts'
import { createWalk, errorIn, types } from '../../../scripts/bench/driver/wire.ts'

const frame = (letter: string, body: Buffer) => {
  const header = Buffer.alloc(5)
  header.write(letter)
  header.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([header, body])
}
const ready = frame('Z', Buffer.from('I'))
const error = frame('E', Buffer.from('SERROR\0C42501\0Mnot allowed\0Dby a rule\0\0'))
// A row whose content looks like the end of an answer.
const answer = Buffer.concat([
  frame('2', Buffer.alloc(0)),
  frame('D', ready),
  frame('C', Buffer.from('SELECT 1\0')),
  ready,
])

function walked(chunks: readonly Buffer[]): string[] {
  const seen: string[] = []
  const walk = createWalk((type, body) => seen.push(`${String.fromCharCode(type)}${body.length}`))
  for (const chunk of chunks) walk(chunk)
  return seen
}

test('sees what it is told of, and nothing inside rows', () => {
  expect(walked([answer])).toEqual(['Z0'])
  expect(walked([Buffer.concat([answer, error, ready])])).toEqual(['Z0', `E${error.length - 5}`, 'Z0'])
})

test('any cut gives the same', () => {
  const all = Buffer.concat([answer, error, ready])
  const whole = walked([all])
  for (let cut = 1; cut < all.length; cut++) expect(walked([all.subarray(0, cut), all.subarray(cut)])).toEqual(whole)
  expect(walked([...all].map((byte) => Buffer.from([byte])))).toEqual(whole)
})

test('keeps an error although the buffer it came in is used again', () => {
  let said = ''
  const walk = createWalk((type, body) => {
    if (type === types.error) said = errorIn(body)
  })
  const shared = Buffer.from(error.subarray(0, 20))
  walk(shared)
  shared.fill(0)
  walk(error.subarray(20))
  expect(said).toBe('not allowed; by a rule')
})

test('refuses a message that claims to be shorter than its length', () => {
  expect(() => walked([Buffer.from([0x5a, 0, 0, 0, 3])])).toThrow('3 bytes long')
})

test.each(['simple', 'extended', 'prepared'] as const)(
  'asks for another row each time, in messages of one size (%s)',
  (protocol) => {
    const steps = createScript('select', protocol).steps()
    const sent = Array.from({ length: 20 }, () => {
      renew(steps)
      return Buffer.concat(steps.map(({ bytes }) => bytes)).toString('latin1')
    })
    expect(new Set(sent).size).toBeGreaterThan(1)
    expect(new Set(sent.map(({ length }) => length)).size).toBe(1)
    expect(sent.join('')).not.toContain('~')
  },
)

test('one variable has one value in all statements of a transaction', () => {
  const steps = createScript('tpcb', 'simple').steps()
  renew(steps)
  const texts = steps.map(({ bytes }) => bytes.toString('latin1'))
  const aid = texts[1]?.match(/aid = (\d{6});/)?.[1]
  expect(texts[2]).toContain(`aid = ${aid};`)
  expect(texts[5]).toContain(`, ${aid}, `)
})

test('only prepared statements are prepared', () => {
  expect(createScript('select', 'prepared').prepare?.toString('latin1')).toContain('WHERE aid = $1')
  expect(createScript('select', 'extended').prepare).toBeUndefined()
})
