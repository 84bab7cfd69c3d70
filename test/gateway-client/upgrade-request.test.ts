import { expect, test } from 'vitest'
import { answerIn } from '../../src/gateway-client/upgrade-request.ts'

const answer = (text: string) => answerIn(Buffer.from(text, 'latin1'))
const text = (rest: Buffer | undefined) => rest?.toString('latin1')

test.each([
  ['HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n\0first frame', 101, '\0first frame'],
  ['HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 \r\n\r\nx', 101, 'x'],
  ['HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnever', 404, 'never'],
  ['HTTP/1.0 502\r\n\r\n<html>', 502, ''],
  ['HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno more', 403, 'no'],
])('reads %j, however it is cut', (whole, status, rest) => {
  const read = answer(whole)
  expect([read?.status, text(read?.rest)]).toEqual([status, rest])
  const needed = whole.length - (status === 101 ? rest.length : whole.endsWith('no more') ? 5 : status === 502 ? 6 : 0)
  for (let cut = 0; cut < needed; cut++) expect(answer(whole.slice(0, cut))).toBeUndefined()
})

test('refuses what is not HTTP, and a head that never ends', () => {
  expect(() => answer('SSH-2.0-x\r\n\r\n')).toThrow('does not answer as HTTP')
  expect(() => answer(`HTTP/1.1 101 x\r\n${'a'.repeat(70_000)}`)).toThrow('longer than')
})
