/** The time of a replay: how long to wait for what comes next, while a person pauses, jumps, and changes the speed. */
import type { Clock } from '../../base/clock.ts'

export interface Timing {
  /** Times as fast; Infinity: at once. */
  readonly speed: number
  /** No pause longer than this, in the recording's time. */
  readonly skipIdle: number | undefined
}

export interface Pace {
  /** It lies before where the replay was asked to start. */
  isPast(atMs: number): boolean
  /** Resolves when this is due, or as soon as it shall not be waited for any more: see `rewound` and `over`. */
  until(atMs: number): Promise<void>
  pause(): void
  /** Faster or slower by this factor. */
  change(factor: number): void
  /** Forwards at once; backwards whoever plays has to begin again: `takeRewind`. */
  jump(byMs: number): void
  /** Begins at `fromMs` again and shows at once what was before `untilMs`. */
  restart(fromMs: number, untilMs: number): void
  /** Where somebody wants to go back to; asked once. */
  takeRewind(): number | undefined
  stop(): void
  readonly over: boolean
}

/** Everything before `from` is due at once. */
export function createPace(timing: Timing & { readonly from: number }, clock: Clock, signal: AbortSignal): Pace {
  let { speed, from } = timing
  const { skipIdle } = timing
  let position = 0
  let paused = false
  let stopped = false
  let rewind: number | undefined
  let resting: { readonly since: number; readonly atMs: number } | undefined
  let wake: () => void = () => undefined

  /** One stretch of waiting, ended early by whatever the person does. */
  async function rest(ms: number, atMs: number): Promise<void> {
    resting = { since: clock.elapsed(), atMs }
    await new Promise<void>((resolve) => {
      const timer = Number.isFinite(ms) ? setTimeout(resolve, ms) : undefined
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
      signal.addEventListener('abort', wake, { once: true })
    })
    signal.removeEventListener('abort', wake)
    wake = () => undefined
    pass()
    resting = undefined
  }

  /** Brings the position up to now, before something changes how time passes. */
  function pass(): void {
    if (resting === undefined) return
    const now = clock.elapsed()
    if (!paused) position = Math.max(position, Math.min(resting.atMs, position + (now - resting.since) * speed))
    resting = { ...resting, since: now }
  }

  const isOver = () => stopped || signal.aborted

  const pace: Pace = {
    isPast: (atMs) => atMs < from,
    get over() {
      return isOver()
    },
    async until(atMs) {
      // A long pause that is skipped is as if it had passed before.
      position = Math.max(position, atMs - (skipIdle ?? Number.POSITIVE_INFINITY))
      while (position < atMs && atMs > from && rewind === undefined && !isOver()) {
        const wait = paused ? Number.POSITIVE_INFINITY : (atMs - position) / speed
        // Below a millisecond a timer only costs time.
        if (wait < 1) break
        await rest(wait, atMs)
      }
      if (rewind === undefined) position = Math.max(position, atMs)
    },
    pause() {
      pass()
      paused = !paused
      wake()
    },
    change(factor) {
      pass()
      if (Number.isFinite(speed)) speed = Math.min(64, Math.max(1 / 16, speed * factor))
      wake()
    },
    jump(byMs) {
      pass()
      if (byMs < 0) rewind = Math.max(0, position + byMs)
      else {
        from = position + byMs
        position = from
      }
      wake()
    },
    restart(fromMs, untilMs) {
      position = fromMs
      from = untilMs
    },
    takeRewind() {
      const wanted = rewind
      rewind = undefined
      return wanted
    },
    stop() {
      stopped = true
      wake()
    },
  }
  return pace
}
