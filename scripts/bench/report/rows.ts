/** Figures as rows: one for each thing that was done on a way, with the numbers that were measured. Pure. */
import type { SectionName } from '../arguments.ts'
import { allWayTitles, type Figure, type Measure, measures, type Results } from '../figures.ts'
import { type Reached, reachedBy, type Target, targetOf } from '../targets.ts'

export interface Row {
  readonly what: string
  readonly way: string
  readonly tool: string
  /** Where a measure has none: undefined. */
  readonly cells: readonly (string | undefined)[]
  readonly verdicts: readonly Verdict[]
}

export interface Verdict {
  readonly figure: Figure
  readonly target: Target
  readonly reached: Reached
}

export interface SectionTable {
  readonly section: SectionName
  readonly title: string
  /** Only those that some row has. */
  readonly measures: readonly Measure[]
  readonly rows: readonly Row[]
}

const titles: Readonly<Record<SectionName, string>> = {
  reads: 'small reads (pgbench -S)',
  writes: 'read-write (pgbench default transaction)',
  bulk: 'bulk',
  connections: 'connections',
  latency: 'latency at a fixed rate, from the intended start',
  profile: "the gateway's CPU, by share",
  start: 'start',
  ssh: 'SSH',
  http: 'HTTP',
}

export function sectionTables({ sections, figures }: Pick<Results, 'sections' | 'figures'>): readonly SectionTable[] {
  return sections.flatMap((section) => {
    const own = figures.filter((one) => one.section === section)
    if (own.length === 0) return []
    const used = (Object.keys(measures) as Measure[]).filter((measure) => own.some((one) => one.measure === measure))
    const groups = Map.groupBy(own, ({ what, way, tool }) => JSON.stringify([what, way, tool]))
    const rows = [...groups.values()].map((group) => rowOf(group, used))
    return [{ section, title: titles[section], measures: used, rows }]
  })
}

export function verdictsIn(figures: readonly Figure[]): readonly Verdict[] {
  return figures.flatMap((figure) => {
    const target = targetOf(figure)
    return target === undefined ? [] : [{ figure, target, reached: reachedBy(figure.value, target) }]
  })
}

function rowOf(group: readonly Figure[], used: readonly Measure[]): Row {
  const [first] = group
  return {
    what: first?.what ?? '',
    way: first?.way === null || first === undefined ? '' : allWayTitles[first.way],
    tool: first?.tool ?? '',
    cells: used.map((measure) => {
      const found = group.find((one) => one.measure === measure)
      return found === undefined ? undefined : written(found)
    }),
    verdicts: verdictsIn(group),
  }
}

/** A spread is shown where it is wider than this share of the median: there the median alone would say too much. */
const wide = 0.1

export function written({ value, min, max, measure }: Pick<Figure, 'value' | 'min' | 'max' | 'measure'>): string {
  const text = number(value, measure)
  return max - min > Math.abs(value) * wide ? `${text} (${number(min, measure)}–${number(max, measure)})` : text
}

export function number(value: number, measure: Measure): string {
  return value.toFixed(measures[measure].digits)
}

export const marks: Readonly<Record<Reached, string>> = { aim: '✓✓', must: '✓', missed: '✗' }

/** `of direct ≥ 0.22, aim 0.35 ✗`. */
export function sentenceOf({ target, reached }: Verdict): string {
  const { measure, better, must, aim } = target
  return `${measures[measure].title} ${better === 'higher' ? '≥' : '≤'} ${must}, aim ${aim} ${marks[reached]}`
}
