/** A command as a reviewer or reader has to see it: what it touches, its text whole, its parameters. */
import type { Action, Command, Parameter } from '../../contract/command.ts'
import { isRequest } from '../../contract/request-text.ts'
import { isCommandLine, programOf, quotedWord, warningsOf } from '../../contract/told.ts'
import { piecesOfAsked } from '../text/asked.ts'
import { type Block, linesBlock, stack } from '../text/block.ts'
import { wrapSpans } from '../text/paragraph.ts'
import type { Line } from '../text/span.ts'
import { visibleSpans } from '../text/visible.ts'
import { wrapText } from '../text/wrap.ts'
import { heading, quiet } from './labelled.ts'

/** One line for each action, then what should make one wary. */
export function touchLines(asked: Command): readonly Line[] {
  const actions = asked.actions.map((action): Line => {
    const tone = action.kind === 'read' ? 'strong' : 'bad'
    const every = asked.protocol === 'postgres' ? 'every row' : 'without a bound'
    const all: Line = action.unbounded ? [{ text: ` · ${every}`, tone: 'bad' }] : []
    const program = programOf(action)
    if (program !== undefined) return [...visibleSpans(program, tone), ...wordsOf(action), ...all]
    const named = action.objects.length > 0 ? visibleSpans(action.objects.join(', '), 'name') : []
    return [...visibleSpans(action.verb, tone), { text: ' ' }, ...named, ...all]
  })
  return [...actions, ...warningsOf(asked).map((warning): Line => visibleSpans(warning, 'warning'))]
}

/** A program's arguments as one would type them, the files and hosts among them marked; then those that none of them names. */
function wordsOf({ arguments: words = [], objects }: Action): Line {
  const given = words.flatMap((word): Line => {
    const named = objects.includes(word) ? 'name' : undefined
    return [{ text: ' ' }, ...visibleSpans(quotedWord(word), named)]
  })
  const others = objects.filter((object) => !words.includes(object))
  return others.length === 0 ? given : [...given, quiet(' on '), ...visibleSpans(others.join(', '), 'name')]
}

export function statement(asked: Command, index: number, count: number, width: number): Block {
  const title = count === 1 ? nameOf(asked) : `${nameOf(asked)} ${index + 1} of ${count}`
  return stack([
    linesBlock(heading(title)),
    wrapText(asked.text, width, piecesOfAsked(asked)),
    ...(asked.parameters.length > 0 ? [linesBlock(heading('Parameters'))] : []),
    ...asked.parameters.map((parameter, at) => parameterBlock(parameter, at, width)),
  ])
}

function nameOf(asked: Command): string {
  if (asked.protocol === 'postgres') return 'Statement'
  if (isRequest(asked)) return 'Request'
  return isCommandLine(asked) ? 'Command line' : 'Command'
}

function parameterBlock({ value, type, bytes }: Parameter, at: number, width: number): Block {
  const label: Line = [
    { text: `$${at + 1}`, tone: 'literal' },
    quiet(`${type === undefined ? '' : ` ${type}`}${bytes === undefined ? '' : `, the beginning of ${bytes} bytes`}`),
  ]
  if (value === null) return linesBlock([[...label, { text: '  NULL', tone: 'keyword' }]])
  const short = value.length < width / 2 && !value.includes('\n')
  if (short) return linesBlock(wrapSpans([...label, { text: '  ' }, ...visibleSpans(value)], width))
  return stack([linesBlock([label]), wrapText(value, width)])
}
