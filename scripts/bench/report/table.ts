/** The figures for a terminal: a table for each section, targets beside the figures that they are about. Pure. */
import type { Style } from '../../../src/commands/output/style.ts'
import { table } from '../../../src/commands/output/table.ts'
import { measures, type Results } from '../figures.ts'
import { marks, sectionTables, sentenceOf, type Verdict, verdictsIn } from './rows.ts'

export function reportText(results: Results, style: Style): string {
  const tables = sectionTables(results).map(({ title, measures: used, rows }) => {
    const headings = ['', 'way', 'by', ...used.map((measure) => measures[measure].title), 'target']
    const lines = rows.map(({ what, way, tool, cells, verdicts }) => [
      what,
      way,
      tool,
      ...cells.map((cell) => cell ?? ''),
      verdicts.map((verdict) => coloured(verdict, style)).join('; '),
    ])
    return `${style('heading', title)}\n${table(headings, lines, style)}`
  })
  return [head(results), ...tables, foot(results)].join('\n')
}

function coloured(verdict: Verdict, style: Style): string {
  return style(verdict.reached === 'missed' ? 'bad' : 'good', sentenceOf(verdict))
}

function head({ machine, versions, date, commit, settings, notes }: Results): string {
  return [
    `hoop beside a direct connection: ${date}, commit ${commit ?? 'unknown'}`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}`,
    pairs(versions),
    `settings: ${pairs(settings)}`,
    ...notes.map((note) => `note: ${note}`),
    '',
  ].join('\n')
}

function foot({ figures, seconds }: Results): string {
  const verdicts = verdictsIn(figures)
  const count = (reached: Verdict['reached'][]) => verdicts.filter((one) => reached.includes(one.reached)).length
  const met = `${count(['must', 'aim'])} of ${verdicts.length} targets are met (${marks.must}), ${count(['aim'])} as aimed at (${marks.aim})`
  return `${verdicts.length === 0 ? 'no figure here has a target' : met}; it took ${Math.round(seconds)} s\n`
}

export function pairs(entries: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(entries)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}
