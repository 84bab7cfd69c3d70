/**
 * A command line as a tree, as far as it matters for what would run: which lists of commands there are, with which words.
 * Whether an `if` takes this branch or the other is nothing that can be known, so every branch counts.
 *
 * All texts in it hold one byte of UTF-8 a character, as shells read them: offsets are then the grammar's own.
 */

export interface Script {
  /** What it was read from. */
  readonly text: string
  readonly statements: readonly Statement[]
}

/** What stands between two `;`: pipes, `&&` and `||` are within it. */
export interface Statement {
  readonly start: number
  readonly background: boolean
  readonly commands: readonly Command[]
}

export interface Command {
  readonly assignments: readonly Assignment[]
  /** Of a simple command: the program and its arguments. */
  readonly words: readonly Word[]
  readonly redirections: readonly Redirection[]
  /** Words that are expanded without being a program's: of `for`, `case`, `[[ … ]]`, arithmetic. */
  readonly expanded: readonly Word[]
  /** Of a compound command or a function: the lists in it. */
  readonly scripts: readonly Script[]
}

export interface Assignment {
  readonly name: string
  /** `a[…]=`: the subscript is computed, which may run commands. */
  readonly subscript: boolean
  readonly values: readonly Word[]
}

export interface Redirection {
  readonly operator: string
  readonly target: Word
}

/** A stretch of a word: quoted, expanded or literal. Offsets are from the word's beginning. */
export interface Part {
  readonly start: number
  readonly end: number
}

export interface Word {
  /** As written. */
  readonly raw: string
  readonly parts: readonly Part[]
  /** What it stands for with its quotes taken away; where that cannot be known, as written. */
  readonly value: string
  /** It is exactly this one word in any shell. */
  readonly fixed: boolean
  /** It begins with a character that is known and no dash, and stays one word (or none): it cannot become an option. */
  readonly operand: boolean
  /** No quotes and nothing to expand. */
  readonly literal: boolean
  /** The unquoted characters at its beginning. */
  readonly head: string
  /** Commands that run while it is expanded. */
  readonly scripts: readonly Script[]
  /** Expanding it may run what is written nowhere in the line, or shells read it differently. */
  readonly hidden: boolean
}

/** A word that is not known before it runs: what `xargs` adds, what `find` puts in the place of `{}`. */
export function unknownWord(value: string, operand: boolean): Word {
  return { ...plainWord(value), fixed: false, operand, literal: false, head: '' }
}

/** A word that no shell looks at. */
export function plainWord(value: string): Word {
  return {
    raw: value,
    parts: [],
    value,
    fixed: true,
    operand: !value.startsWith('-') && value !== '',
    literal: true,
    head: value,
    scripts: [],
    hidden: false,
  }
}

/** The grammar's "no", or ours. */
export class NotUnderstood extends Error {}
