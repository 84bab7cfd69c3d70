/**
 * Texts that differ in nothing but integers and of which one was read: the others are read by it. Programs that put values
 * into their SQL say a thousand texts of one shape, and PostgreSQL's grammar takes longer for one than everything else.
 *
 * Why that is safe. (1) What counts as an integer here is one for PostgreSQL's lexer wherever it stands, of the same token
 * class whatever its digits, so all texts of a shape have trees that differ in those values alone (shape.ts). (2) A value
 * is left open only where nothing that is asked of a tree looks at it: compared or reckoned with a column or parameter,
 * inserted, assigned. Every other is part of the key, as are zero, signs, and which of the values are equal to each other
 * (`a = 1 OR a <> 1` is every row). (3) Each open value was found in the tree, in its place; if one was not, nothing is
 * learnt. Whatever is in doubt is parsed.
 */
import type { Draft } from './draft.ts'
import { type Fields, fieldsOf, isFields, list, stringOf, unwrap } from './nodes.ts'
import { createRecent } from '../../../../base/recent.ts'
import { type Integer, type Shape, shapeOf } from './shape.ts'

export interface Templates {
  /** A draft that was made of another text, and what of this one its statement is. */
  find(sql: string): { readonly drafts: readonly [Draft]; readonly text: string } | undefined
  learn(sql: string, drafts: readonly Draft[]): void
}

interface Template {
  readonly drafts: readonly [Draft]
  /** Blanks and semicolons around the statement. */
  readonly before: number
  readonly behind: number
}

interface Family {
  /** For each integer of the shape: it may have any value. */
  readonly open: readonly boolean[]
  /** By the values that may not. */
  readonly templates: Map<string, Template>
}

const mostTemplates = 50

export function createTemplates(mostShapes: number, mostBytes: number): Templates {
  const families = createRecent<Family>(mostShapes, mostBytes, mostBytes / 16)
  return {
    find(sql) {
      const shape = shapeOf(sql)
      const family = shape === undefined ? undefined : families.get(shape.key)
      if (shape === undefined || family === undefined) return undefined
      const template = family.templates.get(closedValues(shape, family.open))
      if (template === undefined) return undefined
      const { drafts, before, behind } = template
      return { drafts, text: sql.slice(before, sql.length - behind) }
    },
    learn(sql, drafts) {
      const [draft, ...others] = drafts
      const shape = shapeOf(sql)
      if (draft === undefined || others.length > 0 || shape === undefined) return
      const before = sql.indexOf(draft.text)
      const behind = sql.length - before - draft.text.length
      const around = before < 0 ? '?' : sql.slice(0, before) + sql.slice(sql.length - behind)
      const open = openIntegers(sql, draft.tree, shape.integers)
      if (open === undefined || /[^\s;]/.test(around)) return
      const known = families.get(shape.key)
      // Texts of a shape have their open integers in the same places; should they not, nothing of before counts.
      const isSame = known?.open.every((one, at) => one === open[at]) ?? false
      const templates = (isSame ? known?.templates : undefined) ?? new Map<string, Template>()
      if (templates.size >= mostTemplates) templates.clear()
      templates.set(closedValues(shape, open), { drafts: [draft], before, behind })
      families.set(shape.key, { open, templates }, sql.length)
    },
  }
}

function closedValues({ integers }: Shape, open: readonly boolean[]): string {
  let values = ''
  for (const [index, { value }] of integers.entries()) if (open[index] !== true) values += `${value},`
  return values
}

interface Constant {
  readonly value: number
  readonly location: number
  readonly isOpen: boolean
}

/** Which of a text's integers may have any value; undefined: they are not what the tree says, or none may. */
function openIntegers(sql: string, tree: unknown, integers: readonly Integer[]): readonly boolean[] | undefined {
  const statement = unwrap(tree)
  if (statement === undefined || !queries.has(statement.type)) return undefined
  const constants: Constant[] = []
  collect(tree, constants, new Set())
  constants.sort((one, other) => one.location - other.location)
  const areSame = constants.length === integers.length && constants.every((one, at) => isAt(sql, one, integers[at]))
  if (!areSame) return undefined
  const open = constants.map(({ value, isOpen }) => isOpen && value !== 0)
  return open.includes(true) ? open : undefined
}

/** A minus sign before an integer is part of the constant, and so may be what stands between them. */
function isAt(sql: string, { value, location }: Constant, integer: Integer | undefined): boolean {
  if (integer === undefined || location < 0 || location > integer.start) return false
  return Math.abs(value) === integer.value && /^[-\s(]*$/.test(sql.slice(location, integer.start))
}

const queries = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt'])

/** Every integer constant in a tree. Only those in the places named below are open. */
function collect(value: unknown, found: Constant[], open: Set<unknown>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found, open)
    return
  }
  if (!isFields(value)) return
  const constant = fieldsOf(value, 'A_Const')
  if (constant !== undefined) {
    if (isFields(constant.ival)) found.push(constantOf(constant, constant.ival, open.has(value)))
    return
  }
  const node = unwrap(value)
  if (node !== undefined) for (const place of openPlaces(node.type, node.fields)) open.add(place)
  for (const item of Object.values(value)) collect(item, found, open)
}

function constantOf({ location }: Fields, { ival }: Fields, isOpen: boolean): Constant {
  // What is zero is left out of the tree's JSON.
  return { value: typeof ival === 'number' ? ival : 0, location: typeof location === 'number' ? location : 0, isOpen }
}

/** Nodes below this one whose value nobody looks at, should they be constants. */
function openPlaces(type: string, fields: Fields): readonly unknown[] {
  switch (type) {
    case 'A_Expr':
      return operands(fields)
    case 'InsertStmt':
      return list(fieldsOf(fields.selectStmt, 'SelectStmt')?.valuesLists).flatMap(list)
    case 'UpdateStmt':
      return list(fields.targetList).map((target) => fieldsOf(target, 'ResTarget')?.val)
    default:
      return []
  }
}

const plainOperators = new Set(['=', '<>', '<', '>', '<=', '>=', '+', '-', '*', '/', '%'])
const lists = new Set(['AEXPR_IN', 'AEXPR_BETWEEN', 'AEXPR_NOT_BETWEEN'])

/** Of an operator, what stands against a column or parameter. */
function operands({ kind, name, lexpr, rexpr }: Fields): readonly unknown[] {
  const names = list(name).map(stringOf)
  const isPlain = names.length === 1 && plainOperators.has(names[0] ?? '')
  if (lists.has(String(kind))) return varies(lexpr) ? list(rexpr) : []
  if (kind !== 'AEXPR_OP' || !isPlain) return []
  return [...(varies(rexpr) ? [lexpr] : []), ...(varies(lexpr) ? [rexpr] : [])]
}

function varies(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(varies)
  if (!isFields(value)) return false
  return 'ColumnRef' in value || 'ParamRef' in value || Object.values(value).some(varies)
}
