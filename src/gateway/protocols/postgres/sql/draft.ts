/** A text's statements as far as the text says, whoever runs it: what can be kept for the next time it comes. */
import type { Context } from './context.ts'
import { text, unwrap } from './nodes.ts'
import { isError } from './parse.ts'
import { createReading, finish, type Reading } from './reading.ts'
import type { Tree } from './statement.ts'

export interface Draft {
  readonly tree: Tree | undefined
  readonly text: string
  readonly reading: Reading
}

/** undefined: it does not parse. */
export function draftsOf(sql: string, context: Context): readonly Draft[] | undefined {
  const parsed = context.parser.statements(sql)
  if (isError(parsed)) return undefined
  try {
    return parsed.map(({ tree, text }) => ({ tree, text, reading: readOne(tree, context) }))
  } catch {
    // Too deeply nested to be walked: fail closed.
    return undefined
  }
}

/** What PREPARE prepares and DECLARE declares, as a statement of its own. */
export function innerOf(draft: Draft, context: Context): Draft | undefined {
  const node = unwrap(draft.tree)
  if (node?.type !== 'PrepareStmt' && node?.type !== 'DeclareCursorStmt') return undefined
  // The parser made it: a statement's query field is a statement.
  const tree = node.fields.query as Tree
  return { tree, text: innerText(draft.text, node.type === 'PrepareStmt', context), reading: readOne(tree, context) }
}

function readOne(tree: Tree, context: Context): Reading {
  const reading = createReading()
  context.statement(tree, reading, context)
  return finish(reading)
}

/** From behind `PREPARE name (types) AS`, or `DECLARE … CURSOR … FOR`. */
function innerText(sql: string, isPrepare: boolean, context: Context): string {
  const tokens = context.parser.tokens(sql)
  if (isError(tokens)) return sql
  let depth = 0
  const before = tokens.find((token, index) => {
    if (token.text === '(') depth += 1
    if (token.text === ')') depth -= 1
    const word = token.text.toUpperCase()
    return depth === 0 && index > 1 && word === (isPrepare ? 'AS' : 'FOR')
  })
  return before === undefined ? sql : Buffer.from(sql).toString('utf8', before.end).trim()
}

/** Name of the prepared statement that a statement makes. */
export function preparedName({ tree }: Draft): string | undefined {
  const node = unwrap(tree)
  return node?.type === 'PrepareStmt' ? text(node.fields.name) : undefined
}
