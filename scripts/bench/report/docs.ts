/** The figures in docs/performance.md: tables between two marks, written by the bench so that they never drift. Pure. */
import { apartSections, fewestRounds } from '../arguments.ts'
import { allWayTitles, measures, type Results } from '../figures.ts'
import { marks, number, sectionTables, verdictsIn } from './rows.ts'
import { pairs } from './table.ts'

export const begin = '<!-- figures: written by npm run bench -- --write-docs -->'
export const end = '<!-- end of figures -->'

interface Place {
  readonly begin: string
  readonly end: string
}

/** What is measured by itself has a place of its own. */
function placeOf({ sections }: Pick<Results, 'sections'>): Place {
  const apart = apartSections.find((name) => sections.includes(name))
  if (apart === undefined) return { begin, end }
  return {
    begin: `<!-- figures: written by npm run bench -- ${apart} --write-docs -->`,
    end: `<!-- end of figures of ${apart} -->`,
  }
}

export function withFigures(page: string, results: Results): string {
  const { begin: first, end: last } = placeOf(results)
  const isPart = results.settings.part === true && !isApart(results)
  if (Number(results.settings.rounds) < fewestRounds || isPart)
    throw new Error(`the docs show all sections, in at least ${fewestRounds} rounds: these figures are of less`)
  const from = page.indexOf(first)
  const to = page.indexOf(last)
  if (from < 0 || to < from) throw new Error(`the page has no place for figures: "${first}" and "${last}"`)
  return `${page.slice(0, from + first.length)}\n\n${figuresText(results)}\n${page.slice(to)}`
}

export function isApart({ sections }: Pick<Results, 'sections'>): boolean {
  return apartSections.some((name) => sections.includes(name))
}

function figuresText(results: Results): string {
  const { machine, versions, date, commit, settings, notes } = results
  return [
    `Measured ${date.slice(0, 10)} at commit \`${commit ?? 'unknown'}\` on ${machine.cores} cores of ${machine.cpu}, ${machine.memoryGb} GB, ${machine.system}; ${pairs(versions)}. Settings: ${pairs(settings)}.`,
    '',
    ...notes.map((note) => `- ${note}`),
    ...(notes.length > 0 ? [''] : []),
    `### Targets\n\n${targetTable(results)}`,
    ...sectionTables(results).map(
      ({ title, measures: used, rows }) =>
        `### ${capital(title)}\n\n${markdown(
          ['', 'way', 'by', ...used.map((measure) => measures[measure].title)],
          rows.map(({ what, way, tool, cells }) => [what, way, tool, ...cells.map((cell) => cell ?? '')]),
        )}`,
    ),
  ].join('\n')
}

function targetTable({ figures }: Results): string {
  return markdown(
    ['', 'way', 'figure', 'measured', 'must', 'aim', 'met'],
    verdictsIn(figures).map(({ figure, target, reached }) => [
      figure.section === 'reads' ? `reads, ${figure.what}` : figure.what,
      allWayTitles[target.way],
      measures[target.measure].title,
      number(figure.value, figure.measure),
      String(target.must),
      String(target.aim),
      marks[reached],
    ]),
  )
}

function markdown(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return `${[line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n')}\n`
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
