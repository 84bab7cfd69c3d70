/** A command as a reviewer or reader has to see it: what it touches, its text whole, its parameters. */
import type { Command, Parameter } from '../../contract/command.ts'
import { type Block, linesBlock, stack } from '../text/block.ts'
import { wrapSpans } from '../text/paragraph.ts'
import type { Line } from '../text/span.ts'
import { piecesOf } from '../text/sql.ts'
import { visibleSpans } from '../text/visible.ts'
import { wrapText } from '../text/wrap.ts'
import { heading, quiet } from './labelled.ts'

/** One line for each action, then what should make one wary. */
export function touchLines(asked: Command): readonly Line[] {
  const actions = asked.actions.map(({ verb, kind, objects, unbounded }): Line => {
    const named = objects.length > 0 ? visibleSpans(objects.join(', '), 'name') : []
    const all: Line = unbounded ? [{ text: ' · every row', tone: 'bad' }] : []
    return [...visibleSpans(verb, kind === 'read' ? 'strong' : 'bad'), { text: ' ' }, ...named, ...all]
  })
  return [...actions, ...warnings(asked).map((warning): Line => [{ text: warning, tone: 'warning' }])]
}

export function statement(asked: Command, index: number, count: number, width: number): Block {
  const title = count === 1 ? 'Statement' : `Statement ${index + 1} of ${count}`
  return stack([
    linesBlock(heading(title)),
    wrapText(asked.text, width, piecesOf(asked.text)),
    ...(asked.parameters.length > 0 ? [linesBlock(heading('Parameters'))] : []),
    ...asked.parameters.map((parameter, at) => parameterBlock(parameter, at, width)),
  ])
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

function warnings({ facts }: Command): readonly string[] {
  const found: string[] = []
  if (!facts.parsed) found.push('not understood by the grammar: it may do more than is listed here')
  if (facts.dynamic) found.push('runs code that is made while it runs: it may do more than is listed here')
  if (facts.reaches.length > 0) found.push(`reaches outside the data: ${facts.reaches.join(', ')}`)
  return found
}
