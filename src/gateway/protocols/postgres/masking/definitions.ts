/**
 * Definitions that would let something store masked values later, unseen: a function that reads them and writes, a
 * trigger that gets whole rows, a default, a cast. They are refused when they are made by somebody the values are masked
 * for; what was there before is somebody else's decision. What is used already cannot be replaced by something worse,
 * because whatever uses it was judged as it was.
 */
import type { Tree } from '../sql/statement.ts'
import { type Fields, fieldsOf, isFields, list, nameOf, text, unwrap } from '../sql/nodes.ts'
import { type Ground, strictestOf } from './ground.ts'
import { createMentions } from './mentions.ts'
import type { Sensitivity } from './sensitivity.ts'
import type { Storing } from './suspects.ts'
import { touchesMasked } from './touches.ts'

export interface Definitions {
  /** What a definition would let happen, as the middle of a sentence; undefined: nothing. */
  objection(tree: Tree, asked: string, sensitivity: Sensitivity, ground: Ground): string | undefined
  /** Does what it defines or changes read something masked? The name of something new is not known, and says nothing. */
  isNear(tree: Tree, sensitivity: Sensitivity, ground: Ground): boolean
  /** What may store, with the functions made in the open transaction. */
  over(storing: Storing | undefined): Pick<Storing, 'functions' | 'operators' | 'types'>
  /** Something was made that the catalog does not know yet. */
  readonly any: boolean
  /** The transaction is over: the catalog knows. */
  forget(): void
}

interface Made {
  readonly name: string
  readonly words: string
  readonly near: boolean
  readonly stores: boolean
}

export function createDefinitions(): Definitions {
  const made: Made[] = []
  const withMade = (known: Iterable<string>) =>
    new Set([...known, ...made.filter((one) => one.stores).map(({ name }) => name)])
  const storesNow = (name: string) => made.some((one) => one.name === name && one.stores)
  const uses = (name: string, which: (one: Made) => boolean) => {
    const { mentionedIn } = createMentions([name])
    return made.some((one) => which(one) && mentionedIn(one.words))
  }

  function objection(tree: Tree, asked: string, sensitivity: Sensitivity, ground: Ground): string | undefined {
    const node = unwrap(tree)
    if (node === undefined) return undefined
    const { suspects } = sensitivity
    const { storing } = suspects
    const { type, fields } = node
    const isNear = (name: string) => suspects.functions.has(name) || made.some((one) => one.name === name && one.near)
    const stores = (name: string) => storing.functions.has(name) || storesNow(name)
    const isKnown = (name: string) => suspects.isFunction(name) || made.some((one) => one.name === name)
    const usedByStoring = (name: string) => storing.isUsed(name) || uses(name, (one) => one.stores)
    const usedNear = (name: string) => suspects.isUsedNear(name) || uses(name, (one) => one.near)
    const namesStoring = (words: string) =>
      storing.wouldStore(words) ||
      createMentions(made.filter((one) => one.stores).map(({ name }) => name)).mentionedIn(words)

    switch (type) {
      case 'CreateFunctionStmt': {
        const one = readFunction(fields, asked, sensitivity, namesStoring)
        const { name, near } = one
        const replaced = fields.replace === true && isKnown(name)
        if (near && one.stores) return 'by a function that both reads and writes'
        if (one.stores && usedNear(name)) return `by ${name}, which is named where masked columns are read`
        if (near && usedByStoring(name)) return `by ${name}, which is named where something is written`
        if (replaced && near && !isNear(name)) return `by ${name}, which may be in use and did not read them before`
        if (replaced && one.stores && !stores(name)) return `by ${name}, which may be in use and did not write before`
        made.push(one)
        return undefined
      }
      case 'CreateTrigStmt': {
        const name = nameOf(fields.funcname)?.name ?? ''
        return isMaskedRelation(fields.relation, ground) && (stores(name) || !isKnown(name))
          ? 'by a trigger that gets whole rows'
          : undefined
      }
      case 'RuleStmt':
        return list(fields.actions).some((action) => unwrap(action)?.type !== 'SelectStmt') &&
          touchesMasked(tree, ground)
          ? 'by a rule'
          : undefined
      case 'CreateCastStmt': {
        const name = nameOf(isFields(fields.func) ? fields.func.objname : undefined)?.name
        return name !== undefined && (isNear(name) || stores(name)) ? 'by a cast' : undefined
      }
      case 'DefineStmt':
        if (namesStoring(wordsIn(fields))) return 'by what it calls'

        return undefined
      case 'CreateDomainStmt':
      case 'AlterDomainStmt': {
        const words = wordsIn(fields)
        return namesStoring(words) || sensitivity.mentionsMasked(words) ? 'by what it calls' : undefined
      }
      case 'CreateStmt':
      case 'AlterTableStmt':
        return hasNearDefault(fields, isNear) ? 'by a default' : undefined
      case 'CreateSchemaStmt':
        return list(fields.schemaElts)
          .map((inner) => objection(inner as Tree, asked, sensitivity, ground))
          .find((found) => found !== undefined)
      case 'ViewStmt':
      case 'CreateTableAsStmt':
      case 'RenameStmt': {
        const name = newName(type, fields)
        const old = nameOf(isFields(fields.object) ? unwrap(fields.object)?.fields.objname : undefined)?.name ?? ''
        if (name === undefined) return undefined
        if (stores(old) && usedNear(name)) return `by ${name}, which is named where masked columns are read`
        return (isNear(old) || touchesMasked(tree, ground)) && usedByStoring(name)
          ? `by ${name}, which is named where something is written`
          : undefined
      }
      default:
        return undefined
    }
  }

  return {
    objection,
    isNear(tree, { mentionsMasked }, ground) {
      const node = unwrap(tree)
      if (node === undefined) return true
      const { relation, view, into, funcname, ...rest } = node.fields
      if (node.type === 'CreateFunctionStmt') return rest.sql_body !== undefined || mentionsMasked(wordsIn(rest))
      const isNew = ['CreateStmt', 'ViewStmt', 'CreateTableAsStmt'].includes(node.type)
      return touchesMasked(isNew ? rest : tree, ground)
    },
    over: (storing) => ({
      functions: made.length === 0 && storing !== undefined ? storing.functions : withMade(storing?.functions ?? []),
      operators: storing?.operators ?? new Set(),
      types: storing?.types ?? new Set(),
    }),
    get any() {
      return made.length > 0
    },
    forget() {
      made.length = 0
    },
  }
}

function readFunction(
  fields: Fields,
  asked: string,
  { mentionsMasked }: Sensitivity,
  namesStoring: (words: string) => boolean,
): Made {
  const returns = isFields(fields.returnType) ? (nameOf(fields.returnType.names)?.name ?? '') : ''
  // A body in the SQL standard's form is a tree already: its text says the same.
  const body = fields.sql_body === undefined ? '' : asked.replace(/^.*?\b(?=begin|return\b)/is, '')
  const { funcname, ...rest } = fields
  const words = `${wordsIn(rest)} ${body}`
  return {
    name: nameOf(funcname)?.name ?? '',
    words,
    near: mentionsMasked(words),
    stores: namesStoring(returns === 'trigger' ? `RETURNS trigger ${words}` : words),
  }
}

/** Every piece of text in a tree. */
function wordsIn(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(wordsIn).join(' ')
  return isFields(value) ? Object.values(value).map(wordsIn).join(' ') : ''
}

function isMaskedRelation(relation: unknown, ground: Ground): boolean {
  const fields = isFields(relation) ? relation : {}
  const { columns, rest } = ground.relation(text(fields.relname) ?? '', text(fields.schemaname))
  return rest !== undefined || strictestOf(columns) !== undefined
}

/** DEFAULT of a column of a new table, or of one that is added or altered. */
function hasNearDefault(value: unknown, isNear: (name: string) => boolean): boolean {
  if (Array.isArray(value)) return value.some((item) => hasNearDefault(item, isNear))
  if (!isFields(value)) return false
  const constraint = fieldsOf(value, 'Constraint')
  if (constraint?.contype === 'CONSTR_DEFAULT') return callsNear(constraint.raw_expr, isNear)
  const command = fieldsOf(value, 'AlterTableCmd')
  if (command?.subtype === 'AT_ColumnDefault') return callsNear(command.def, isNear)
  return Object.values(value).some((item) => hasNearDefault(item, isNear))
}

function callsNear(value: unknown, isNear: (name: string) => boolean): boolean {
  if (Array.isArray(value)) return value.some((item) => callsNear(item, isNear))
  if (!isFields(value)) return false
  const call = fieldsOf(value, 'FuncCall')
  if (call !== undefined && isNear(nameOf(call.funcname)?.name ?? '')) return true
  return Object.values(value).some((item) => callsNear(item, isNear))
}

/** What is called or read by its name. */
const renamedThings =
  /^OBJECT_(?:TABLE|FOREIGN_TABLE|VIEW|MATVIEW|INDEX|SEQUENCE|FUNCTION|PROCEDURE|ROUTINE|AGGREGATE)$/

function newName(type: string, fields: Fields): string | undefined {
  if (type === 'RenameStmt') return renamedThings.test(String(fields.renameType)) ? text(fields.newname) : undefined
  const relation = type === 'ViewStmt' ? fields.view : isFields(fields.into) ? fields.into.rel : undefined
  return isFields(relation) ? text(relation.relname) : undefined
}
