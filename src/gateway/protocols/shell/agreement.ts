/**
 * Two readers have to agree on a line before it is judged: script.ts, which gives the tree, and the grammar of mvdan/sh,
 * which does not give its own away but says where statements begin and what the parts of words are. Each list of the tree
 * is parsed, and must have the same statements; all programs' words are written behind `>`, where the grammar tells words
 * and their parts, and must be the same words.
 */
import type { ParsedStatement, Parser } from './parser.ts'
import { type Command, NotUnderstood, type Script, type Word } from './tree.ts'

/** Longer than any line that people write; each list costs a parse. */
const mostScripts = 200

export function confirm(script: Script, parser: Parser): void {
  const scripts: Script[] = []
  const words: Word[][] = []
  collect(script, scripts, words)
  if (scripts.length > mostScripts) throw new NotUnderstood('too many lists of commands')
  for (const one of scripts) confirmStatements(one, parser)
  confirmWords(words, parser)
}

function confirmStatements({ text, statements }: Script, parser: Parser): void {
  const found = accepted(text, parser)
  const same =
    found.length === statements.length &&
    statements.every(({ start, background }, at) => {
      const other = found[at]
      return other?.Pos.Offset === start && other.Background === background
    })
  if (!same) throw new NotUnderstood('the grammar finds other statements')
}

function confirmWords(commands: readonly (readonly Word[])[], parser: Parser): void {
  let at = 0
  const lines = commands.map((words) =>
    words.map((word) => {
      const start = at + 2
      at += word.raw.length + 3
      return { word, start }
    }),
  )
  const text = lines.map((words) => words.map(({ word }) => `> ${word.raw}`).join(' ')).join('\n')
  const found = accepted(text, parser)
  const same =
    found.length === lines.length &&
    lines.every((words, line) => {
      const targets = found[line]?.Redirs ?? []
      return targets.length === words.length && words.every(({ word, start }, at) => isSame(word, start, targets[at]))
    })
  if (!same) throw new NotUnderstood('the grammar finds other words')
}

function isSame(word: Word, start: number, target: ParsedStatement['Redirs'][number] | undefined): boolean {
  if (target === undefined) return false
  const { Pos, End, Parts } = target.Word
  const continued = word.raw.includes('\\\n')
  if (End.Offset !== start + word.raw.length || (Pos.Offset !== start && !continued)) return false
  // A line that goes on within a word is a border of parts for one reader and none for the other.
  if (continued) return true
  return (
    Parts.length === word.parts.length &&
    word.parts.every(
      (part, at) => Parts[at]?.Pos.Offset === start + part.start && Parts[at].End.Offset === start + part.end,
    )
  )
}

function accepted(text: string, parser: Parser): readonly ParsedStatement[] {
  const found = parser.statements(text)
  if (found === undefined) throw new NotUnderstood('the grammar does not accept it')
  return found
}

function collect(script: Script, scripts: Script[], words: Word[][]): void {
  scripts.push(script)
  for (const { commands } of script.statements) for (const command of commands) collectCommand(command, scripts, words)
}

function collectCommand(command: Command, scripts: Script[], words: Word[][]): void {
  const own = [...command.words, ...command.redirections.map(({ target }) => target)]
  if (own.length > 0) words.push(own)
  const values = command.assignments.flatMap(({ values }) => values)
  for (const word of [...own, ...command.expanded, ...values])
    for (const inner of word.scripts) collect(inner, scripts, words)
  for (const inner of command.scripts) {
    // A function's body is one command, and no list of its own.
    if (inner.text === '')
      for (const one of inner.statements.flatMap(({ commands }) => commands)) collectCommand(one, scripts, words)
    else collect(inner, scripts, words)
  }
}
