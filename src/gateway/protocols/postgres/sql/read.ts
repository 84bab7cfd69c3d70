/** One statement's tree → what it does, by the kind of statement. A kind that nobody thought of has the worst class. */
import type { Context } from './context.ts'
import { ddl } from './ddl.ts'
import { type Fields, list, unwrap } from './nodes.ts'
import type { Parser } from './parse.ts'
import { createReading, type Reading } from './reading.ts'
import { utility } from './utility.ts'
import { outermost, visit, visitFields } from './walk.ts'

export function createContext(parser: Parser): Context {
  return { parser, scope: outermost, fresh: createReading, statement: readStatement }
}

const queries = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'])

function readStatement(tree: unknown, out: Reading, context: Context): void {
  const node = unwrap(tree)
  if (node === undefined) {
    readUnknown('UNKNOWN', out)
    return
  }
  if (queries.has(node.type)) {
    readQuery(tree, out, context)
    return
  }
  const read = utility[node.type]
  if (read !== undefined) {
    read(node.fields, out, context)
    return
  }
  const define = ddl[node.type]
  if (define === undefined) {
    readUnknown(node.type, out)
    return
  }
  out.actions.push(define(node.fields, out))
  readDefinition(node.fields, out, context)
}

function readQuery(tree: unknown, out: Reading, context: Context): void {
  const at = out.actions.length
  visit(tree, context.scope, out)
  if (unwrap(tree)?.type === 'SelectStmt') insertSelect(out, at)
}

/** A SELECT comes first, before what is nested in it. All that is read stands in this one action. */
function insertSelect(out: Reading, at: number): void {
  if (out.actions.some((action) => action.verb === 'SELECT' && action.kind === 'read')) return
  out.actions.splice(at, 0, { verb: 'SELECT', kind: 'read', relations: out.reads })
}

/** What a definition evaluates or runs: CREATE TABLE AS's query, a USING expression, the elements of CREATE SCHEMA. */
function readDefinition(fields: Fields, out: Reading, context: Context): void {
  const { query, schemaElts, ...rest } = fields
  if (query !== undefined) readStatement(query, out, context)
  for (const element of list(schemaElts)) readStatement(element, out, context)
  // Its relations are objects of the action already, not reads.
  const inner = context.fresh()
  visitFields(rest, [], context.scope, inner)
  out.calls.push(...inner.calls)
  out.types.push(...inner.types)
  out.actions.push(...inner.actions)
  for (const operator of inner.operators) out.operators.add(operator)
}

function readUnknown(type: string, out: Reading): void {
  const verb = type
    .replace(/Stmt$/, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toUpperCase()
  out.opaque = true
  out.dynamic = true
  out.actions.push({ verb, kind: 'admin' })
}
