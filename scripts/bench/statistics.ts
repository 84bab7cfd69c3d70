/** The few numbers that a bench needs out of many. Pure. */

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = at(sorted, middle)
  return sorted.length % 2 === 1 ? upper : (at(sorted, middle - 1) + upper) / 2
}

/** Nearest rank: a value that really occurred. `sorted` ascends; `share` is 0.99 for p99. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return at(sorted, Math.min(sorted.length, Math.max(1, Math.ceil(sorted.length * share))) - 1)
}

/** Round by round, so that what slowed both sides of one round down is not in the ratio. */
export function pairwise(
  values: readonly number[],
  references: readonly number[],
  combine: (value: number, reference: number) => number,
): readonly number[] {
  if (values.length !== references.length)
    throw new Error(`${values.length} rounds cannot be paired with ${references.length}`)
  return values.map((value, round) => combine(value, at(references, round)))
}

function at(values: ArrayLike<number>, index: number): number {
  const value = values[index]
  if (value === undefined) throw new Error('nothing was measured')
  return value
}
