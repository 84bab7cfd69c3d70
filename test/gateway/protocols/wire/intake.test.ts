/** One socket that is read by one part of a protocol after another. */
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { createIntake } from '../../../../src/gateway/protocols/wire/intake.ts'

test('reads on where the one before has let go, also what comes only then', async () => {
  const socket = new PassThrough()
  const first = createIntake(socket)
  socket.write('head')
  expect(String(await first.next())).toBe('head')
  first.unread(Buffer.from('rest'))
  first.release()
  const second = createIntake(socket)
  expect(String(await second.next())).toBe('rest')
  socket.write('later')
  expect(String(await second.next())).toBe('later')
  socket.end()
  expect(await second.next()).toBeUndefined()
})
