/** What a section is given to measure with, and what becomes of its figures. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Figure, figure, type Measure, type Subject, wayTitles } from './figures.ts'
import type { Settings } from './settings.ts'
import type { Spinners } from './spinners.ts'
import { pairwise, spreadOf } from './statistics.ts'
import type { Lane } from './ways.ts'
import type { World } from './world.ts'

export interface Bench {
  readonly world: World
  readonly settings: Settings
  readonly spinners: Spinners
  /** Ctrl-C, or a part of what is measured ended by itself: the reason says which. */
  readonly signal: AbortSignal
  /** Where it is, for who watches. */
  say(progress: string): void
  /** What a reader of the figures has to know. */
  note(sentence: string): void
  add(figure: Figure): void
}

/** Says what is measured, stops there on Ctrl-C, and names it if it fails: a run that errs ends the bench. */
export async function step<T>(bench: Pick<Bench, 'say' | 'signal'>, what: string, work: () => Promise<T>): Promise<T> {
  bench.signal.throwIfAborted()
  bench.say(what)
  try {
    return await work()
  } catch (error) {
    // A process that is gone is noticed a little later than the connections that it had.
    await sleep(200)
    bench.signal.throwIfAborted()
    throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

export function nameOf(lane: Lane): string {
  return `${wayTitles[lane.way.name]} (${lane.tool})`
}

export function addSpread(bench: Bench, subject: Subject, measure: Measure, values: readonly number[]): void {
  if (values.length > 0) bench.add(figure(subject, measure, spreadOf(values), values.length))
}

/** Round by round against the direct way. */
export function addPairs(
  bench: Bench,
  subject: Subject,
  measure: Measure,
  [values, references]: readonly [readonly number[], readonly number[]],
  combine: (value: number, reference: number) => number,
): void {
  addSpread(bench, subject, measure, pairwise(values, references, combine))
}

export const asRatio = (value: number, reference: number): number => value / reference
export const asDifference = (value: number, reference: number): number => value - reference
