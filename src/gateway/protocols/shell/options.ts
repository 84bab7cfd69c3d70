/** A program's options, read as getopt does: clusters of letters, `--name value`, `--name=value`, `--`. */
import { plainWord, unknownWord, type Word } from './tree.ts'

export interface OptionSpec {
  /** Letters without a value. */
  readonly flags?: string
  /** Letters with one. */
  readonly values?: string
  readonly long?: readonly string[]
  readonly longValues?: readonly string[]
  /** The first operand ends them: what follows are words of another program. */
  readonly stops?: boolean
}

export interface Options {
  /** In order: `n`, `--name`. */
  readonly given: readonly { readonly name: string; readonly value?: Word }[]
  readonly operands: readonly Word[]
  /** An option that the spec does not have. */
  readonly unknown: boolean
  /** A word that may become an option. */
  readonly unclear: boolean
}

export function readOptions(words: readonly Word[], spec: OptionSpec): Options {
  const given: { name: string; value?: Word }[] = []
  const operands: Word[] = []
  let unknown = false
  let unclear = false
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]
    if (word === undefined) break
    const { value } = word
    if (word.fixed && value === '--') {
      operands.push(...words.slice(at + 1))
      break
    }
    if (word.operand || value === '-' || (word.fixed && value === '')) {
      if (spec.stops) {
        operands.push(...words.slice(at))
        break
      }
      operands.push(word)
    } else if (!word.fixed) {
      unclear = true
      operands.push(word)
      if (spec.stops) {
        operands.push(...words.slice(at + 1))
        break
      }
    } else if (value.startsWith('--')) {
      const [name = '', ...more] = value.split('=')
      const taken = spec.longValues?.includes(name.slice(2)) ?? false
      if (!taken && !(spec.long?.includes(name.slice(2)) ?? false)) unknown = true
      if (more.length > 0) given.push({ name, value: plainWord(more.join('=')) })
      else if (taken) {
        at += 1
        given.push({ name, value: words[at] ?? unknownWord('', false) })
      } else given.push({ name })
    } else {
      for (let letter = 1; letter < value.length; letter += 1) {
        const name = value.charAt(letter)
        if (spec.values?.includes(name)) {
          const rest = value.slice(letter + 1)
          if (rest === '') at += 1
          given.push({ name, value: rest === '' ? (words[at] ?? unknownWord('', false)) : plainWord(rest) })
          break
        }
        if (!spec.flags?.includes(name)) unknown = true
        given.push({ name })
      }
    }
  }
  return { given, operands, unknown, unclear }
}

export function has({ given }: Options, ...names: readonly string[]): boolean {
  return given.some(({ name }) => names.includes(name))
}

export function valuesOf({ given }: Options, ...names: readonly string[]): readonly Word[] {
  return given.flatMap(({ name, value }) => (names.includes(name) && value !== undefined ? [value] : []))
}
