/** What a program does with its words. One function a program; most are made by the functions here. */
import type { Kind, reaches } from '../../../../contract/command.ts'
import { isBroad, named } from '../objects.ts'
import { type OptionSpec, type Options, readOptions } from '../options.ts'
import type { Word } from '../tree.ts'

export type Reach = (typeof reaches)[number]

export interface Call {
  /** Its bare name. */
  readonly name: string
  /** What stands behind its name. */
  readonly words: readonly Word[]
  /** It is shown on a terminal: pagers stop, and take orders. */
  readonly terminal: boolean
  /** It starts another program with these words. */
  run(words: readonly Word[]): void
  /** It gives this text to a shell. */
  runScript(text: Word): void
  /** It gives this variable a value; exported, all programs behind it are given it. */
  assign(name: string, value: string, exported: boolean): void
  /** It writes this file besides what it is for. */
  write(file: Word): void
}

export interface Effect {
  readonly kind: Kind
  readonly unbounded?: boolean
  /** It may run what the line does not tell. */
  readonly dynamic?: boolean
  readonly reaches?: readonly Reach[]
  /** All its words, if absent. */
  readonly objects?: readonly string[]
}

export type Meaning = (call: Call) => Effect

export type Programs = Readonly<Record<string, Meaning>>

/** The same meaning for several names. */
export function each(names: string, meaning: Meaning): Programs {
  return Object.fromEntries(names.split(' ').map((name) => [name, meaning]))
}

/** Only reads, whatever its options are. */
export const reads: Meaning = () => ({ kind: 'read' })

/** The same, and its words name no files. */
export const says: Meaning = () => ({ kind: 'read', objects: [] })

/** Only reads with the options of this list; with others it is the worst. */
export function readsWith(spec: OptionSpec, isFine: (options: Options) => boolean = () => true): Meaning {
  return ({ words }) => {
    const options = readOptions(words, spec)
    if (options.unclear) return unknown
    return options.unknown || !isFine(options) ? { kind: 'admin' } : { kind: 'read' }
  }
}

/** Changes files; `skip` of its operands name none. */
export function writes(skip = 0, spec?: OptionSpec): Meaning {
  return ({ words }) => {
    const options = readOptions(words, spec ?? {})
    if (spec !== undefined && (options.unknown || options.unclear)) return { ...unknown, reaches: ['file', 'program'] }
    const recursive = words.some(({ value }) => /^-[A-Za-z]*[rR]|^--r/.test(value))
    const files = options.operands.slice(skip)
    const skipped = new Set(options.operands.slice(0, skip))
    return {
      kind: 'write',
      reaches: ['file'],
      unbounded: recursive && files.some(isBroad),
      objects: named(words.filter((word) => !skipped.has(word))),
    }
  }
}

/** What hoop knows to reach beyond files, and not in which ways. */
export function admin(...reaches: readonly Reach[]): Meaning {
  return ({ words }) => ({ kind: 'admin', reaches, dynamic: words.some(({ fixed, operand }) => !fixed && !operand) })
}

/** It runs what is written nowhere in the line. */
export const unknown: Effect = { kind: 'admin', dynamic: true, reaches: ['program'] }

/** Nobody knows what it does; with words that nobody knows either, it may run anything. */
export const unlisted: Meaning = ({ words }) => ({
  kind: 'admin',
  reaches: ['program'],
  dynamic: words.some(({ fixed }) => !fixed),
})

/** A program whose first operand says what it does. */
export function subcommands(spec: OptionSpec, reading: string, otherwise: Meaning): Meaning {
  const harmless = new Set(reading.split(' '))
  return (call) => {
    const options = readOptions(call.words, { ...spec, stops: true })
    const [verb] = options.operands
    const plain = !options.unknown && !options.unclear && verb?.fixed === true && harmless.has(verb.value)
    if (!plain) return { objects: named(options.operands.slice(1)), ...otherwise(call) }
    const hidden = options.operands.slice(1).some(({ fixed, operand }) => !fixed && !operand)
    return hidden ? { kind: 'admin', dynamic: true } : { kind: 'read', objects: named(options.operands.slice(1)) }
  }
}
