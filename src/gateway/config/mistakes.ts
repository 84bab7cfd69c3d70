/** What is wrong with a configuration, and where: the same shape from the YAML parser, the schema and the checks of meaning. */
import { hoopError, type HoopError } from '../../contract/error-codes.ts'

/** Keys and indexes from the top of the file: `['rules', 2, 'when']`. */
export type Path = readonly (string | number)[]

export interface Finding {
  readonly path: Path
  /** Point at the last key of the path and not at its value. */
  readonly atKey?: boolean
  /** A mistake refuses the file; a warning is said and the file is taken. */
  readonly severity: 'mistake' | 'warning'
  /** What is wrong and what was probably meant. Never holds a value that could be a secret. */
  readonly message: string
}

export const mistake = (path: Path, message: string): Finding => ({ path, severity: 'mistake', message })
export const warning = (path: Path, message: string): Finding => ({ path, severity: 'warning', message })

export interface Located {
  readonly severity: Finding['severity']
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

/** `hoop.yaml:12:7: …`, as compilers say it, so that editors can jump there. */
export function sentenceOf({ file, line, column, message, severity }: Located): string {
  return `${file}:${line}:${column}: ${severity === 'warning' ? 'warning: ' : ''}${message}`
}

/** The error that stands for all mistakes of a file; `mistakesIn` gives them back one by one. */
export function configInvalid(file: string, mistakes: readonly Located[]): HoopError {
  const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`
  const [first] = mistakes
  return hoopError('config-invalid', `${file} has ${count}${first === undefined ? '' : `: ${sentenceOf(first)}`}`, {
    hint: `see all of them with: hoop gateway check --config ${file}`,
  })
}

/** The known name that was probably meant, if one is close: at most a third of its letters differ. */
export function closest(given: string, known: Iterable<string>): string | undefined {
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const name of known) {
    const distance = editDistance(given.toLowerCase(), name.toLowerCase())
    if (distance <= Math.max(1, Math.floor(name.length / 3)) && distance < (best?.distance ?? Number.POSITIVE_INFINITY))
      best = { name, distance }
  }
  return best?.name
}

export function didYouMean(given: string, known: Iterable<string>): string {
  const name = closest(given, known)
  return name === undefined ? '' : `; did you mean "${name}"?`
}

/** Damerau–Levenshtein with neighbours only: swapping two letters is one slip of the hand, not two. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(
        Math.min(
          (row[j - 1] ?? 0) + 1,
          (previous[j] ?? 0) + 1,
          (previous[j - 1] ?? 0) + same,
          swapped ? (beforePrevious[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    beforePrevious = previous
    previous = row
  }
  return previous[b.length] ?? 0
}
