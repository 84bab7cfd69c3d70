import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createPace, type Pace, type Timing } from '../../../src/commands/replay/pace.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const clock = { now: () => Date.now(), elapsed: () => Date.now() }

function paceOf(timing: Partial<Timing & { from: number }> = {}): Pace {
  return createPace({ speed: 1, skipIdle: undefined, from: 0, ...timing }, clock, new AbortController().signal)
}

/** How long it takes until this is due. */
async function waited(pace: Pace, atMs: number): Promise<number> {
  const begun = Date.now()
  let over = false
  void pace.until(atMs).then(() => {
    over = true
  })
  await vi.advanceTimersByTimeAsync(0)
  for (let step = 0; !over && step < 1000; step += 1) await vi.advanceTimersByTimeAsync(10)
  expect(over).toBe(true)
  return Date.now() - begun
}

test.each<[Partial<Timing>, number]>([
  [{ speed: 1 }, 4000],
  [{ speed: 2 }, 2000],
  [{ speed: 2, skipIdle: 1000 }, 500],
  [{ speed: Number.POSITIVE_INFINITY }, 0],
])('waits as asked: %o → %i ms', async (timing, ms) => {
  const pace = paceOf(timing)
  pace.restart(1000, 0)
  expect(await waited(pace, 5000)).toBe(ms)
})

test('what was before the start is due at once, what comes after in its time', async () => {
  const pace = paceOf({ from: 60_000 })
  expect(await waited(pace, 5000)).toBe(0)
  expect(await waited(pace, 60_000)).toBe(0)
  expect(await waited(pace, 60_500)).toBe(500)
})

test('pauses, and goes on where it was', async () => {
  const pace = paceOf()
  const due = pace.until(1000)
  await vi.advanceTimersByTimeAsync(400)
  pace.pause()
  await vi.advanceTimersByTimeAsync(60_000)
  pace.pause()
  const begun = Date.now()
  await vi.advanceTimersByTimeAsync(600)
  await due
  expect(Date.now() - begun).toBe(600)
})

test('takes another speed for what is left', async () => {
  const pace = paceOf()
  const due = pace.until(1000)
  await vi.advanceTimersByTimeAsync(500)
  pace.change(2)
  await vi.advanceTimersByTimeAsync(250)
  await due
})

test('jumps forwards at once, and says where to go back to', async () => {
  const pace = paceOf()
  const far = pace.until(5000)
  await vi.advanceTimersByTimeAsync(1000)
  pace.jump(5000)
  await far
  expect(await waited(pace, 6500)).toBe(500)
  const next = pace.until(10_000)
  await vi.advanceTimersByTimeAsync(500)
  pace.jump(-5000)
  await next
  expect(pace.takeRewind()).toBe(2000)
  expect(pace.takeRewind()).toBeUndefined()
})

test.each([0, 400])('ends a wait when it is stopped, paused or not (after %i ms)', async (after) => {
  const pace = paceOf()
  const due = pace.until(60_000)
  await vi.advanceTimersByTimeAsync(after)
  pace.pause()
  pace.stop()
  await due
  expect(pace.over).toBe(true)
})
