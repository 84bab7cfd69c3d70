/** What stands behind `npm run bench --`. Pure: words in, what is wanted or one sentence out. */
import { parseArgs } from 'node:util'

/** What a run without names measures: the database. */
export const usualSections = ['reads', 'writes', 'bulk', 'connections', 'latency', 'profile', 'start'] as const
/** These have worlds of their own, and each is measured by itself. */
export const apartSections = ['ssh', 'http'] as const
export const sectionNames = [...usualSections, ...apartSections] as const
export type SectionName = (typeof sectionNames)[number]
export type UsualSection = (typeof usualSections)[number]
export type ApartSection = (typeof apartSections)[number]

/** What is shown in the docs is a median of so many at least. */
export const fewestRounds = 5

export interface Wanted {
  readonly kind: 'run'
  /** In the order of usualSections. */
  readonly sections: readonly UsualSection[] | readonly [ApartSection]
  readonly quick: boolean
  /** Instead of the usual number. */
  readonly rounds: number | undefined
  readonly json: boolean
  readonly writeDocs: boolean
  /** Figures of an earlier run to show, instead of measuring. */
  readonly from: string | undefined
}

export type Arguments = Wanted | { readonly kind: 'help' } | { readonly kind: 'mistake'; readonly sentence: string }

export const usage = `usage: npm run bench -- [${sectionNames.join('|')} ...] [--quick] [--rounds N] [--json] [--write-docs] [--from FILE]

Measures hoop beside a direct connection: starts PostgreSQL, gateways and CLIs on loopback, and removes them afterwards.
Without names of sections it runs them all but ssh and http, which need OpenSSH or nginx instead of PostgreSQL and are
measured each by itself.
Results go to bench/results/.

--quick       everything in under two minutes: one round each, shorter, COPY of 100 MB, 200 idle connections
--rounds N    measure everything so often (5, with --quick once); a figure is the median of its rounds
--json        print the figures as JSON instead of a table
--write-docs  also write the tables of docs/performance.md and the chart docs/performance.svg (of all sections in at
              least five rounds); of ssh and of http only their own table
--from FILE   do not measure: show the figures of an earlier run (with --write-docs: write them)
`

export function parseArguments(words: readonly string[]): Arguments {
  const parsed = read(words)
  if (typeof parsed === 'string') return { kind: 'mistake', sentence: parsed }
  const { values, positionals } = parsed
  if (values.help) return { kind: 'help' }
  const unknown = positionals.find((word) => !isSection(word))
  if (unknown !== undefined) return mistake(`there is no section "${unknown}"; there are ${sectionNames.join(', ')}`)
  const { quick, json, from, 'write-docs': writeDocs } = values
  const all = positionals.length === 0
  const apart = apartSections.find((name) => positionals.includes(name))
  if (apart !== undefined && positionals.some((word) => word !== apart))
    return mistake(`${apart} is measured by itself, without other sections`)
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  if (rounds !== undefined && (!Number.isInteger(rounds) || rounds < 1))
    return mistake(`--rounds takes a whole number from 1 on, not "${values.rounds}"`)
  if (from !== undefined && (quick || !all || rounds !== undefined))
    return mistake('--from shows a run as it was: no sections, --quick or --rounds beside it')
  if (
    writeDocs &&
    (!(all || apart !== undefined) ||
      (quick && (rounds ?? 1) < fewestRounds) ||
      (rounds ?? fewestRounds) < fewestRounds)
  )
    return mistake(`--write-docs needs all sections in at least ${fewestRounds} rounds`)
  return {
    kind: 'run',
    sections: apart !== undefined ? [apart] : usualSections.filter((name) => all || positionals.includes(name)),
    quick,
    rounds,
    json,
    writeDocs,
    from,
  }
}

function mistake(sentence: string): Arguments {
  return { kind: 'mistake', sentence }
}

function isSection(word: string): word is SectionName {
  return (sectionNames as readonly string[]).includes(word)
}

function read(words: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        quick: flag,
        json: flag,
        'write-docs': flag,
        help: flag,
        rounds: { type: 'string' },
        from: { type: 'string' },
      },
    })
  } catch (error) {
    // Its first sentence names the word that is wrong; what follows is advice on dashes.
    return error instanceof Error ? firstSentence(error.message) : String(error)
  }
}

function firstSentence(text: string): string {
  return text.split(/[.\n]/, 1)[0] ?? text
}
