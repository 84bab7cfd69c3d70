import { expect, test } from 'vitest'
import { microsIn, valueAt, watchCpu } from '../../../scripts/bench/cpu.ts'
import { fitting } from '../../../scripts/bench/room.ts'

test('reads user and system time, whatever the process is called', () => {
  const rest = 'S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 11 0 1234'
  expect(microsIn(`42 (node) ${rest}`)).toBe(3_000_000)
  expect(microsIn(`42 (a (b) 7 8 9) ${rest}`)).toBe(3_000_000)
})

test('between two samples a straight line, outside them the nearest', () => {
  const samples = [
    { at: 100, micros: 1000 },
    { at: 200, micros: 3000 },
  ]
  expect(valueAt(samples, 150)).toBe(2000)
  expect(valueAt(samples, 50)).toBe(1000)
  expect(valueAt(samples, 900)).toBe(3000)
})

test.runIf(process.platform === 'linux')('a process that is gone is an error, not a zero', () => {
  const gone = 2 ** 22 + 1
  expect(() => watchCpu([gone]).stop({ from: 0, to: 1 })).toThrow(`process ${gone} ended`)
})

test('has room for what is wanted', () => {
  expect(fitting(2000, 20_000, 32e9)).toEqual({ connections: 2000, why: undefined })
})

test.each([
  [1024, 32e9, 'the limit of open files (1024)'],
  [20_000, 1e9, 'free memory'],
])('with %d files and %d bytes there are fewer, and it says why', (files, memory, cause) => {
  const room = fitting(2000, files, memory)
  expect(room.connections).toBeLessThan(2000)
  expect(room.why).toContain(cause)
})
