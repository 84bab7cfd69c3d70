import { existsSync } from 'node:fs'
import { utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withLock } from '../../src/gateway-client/lock.ts'
import { emptyHome } from '../support/terminal.ts'

test('lets one in at a time', async () => {
  const path = join(emptyHome(), 'a.lock')
  let inside = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 6 }, () =>
      withLock(path, async () => {
        inside += 1
        most = Math.max(most, inside)
        await new Promise((resolve) => setImmediate(resolve))
        inside -= 1
      }),
    ),
  )
  expect(most).toBe(1)
  expect(existsSync(path)).toBe(false)
})

test('is released when the work fails', async () => {
  const path = join(emptyHome(), 'a.lock')
  await expect(withLock(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(existsSync(path)).toBe(false)
})

test.each([
  // No process has such a number: Linux ends at 4194304.
  ['a process that is gone', `99999999 ${hostname()}`, new Date()],
  ['another machine, long ago', '1 elsewhere', new Date(Date.now() - 3_600_000)],
])('is taken over from %s', async (_whose, content, time) => {
  const path = join(emptyHome(), 'a.lock')
  await writeFile(path, content)
  await utimes(path, time, time)
  let entered = 0
  const enter = async () => {
    entered += 1
  }
  await Promise.all([1, 2, 3].map(() => withLock(path, enter)))
  expect(entered).toBe(3)
})
