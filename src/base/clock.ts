/** Time as a thing that is passed in, so that tests move it and pure code never reads it. */

export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z; may jump. For what people read. */
  now(): number
  /** Milliseconds since some fixed moment, with fractions; never jumps. For durations. */
  elapsed(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
}
