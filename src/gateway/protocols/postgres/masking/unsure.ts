/**
 * What an open transaction has changed of the catalog: nobody outside it can see that, so the snapshot is wrong about it.
 * Names that its DDL mentions are taken for unknown (and what is unknown is masked) until the transaction has ended.
 */
import type { Command } from '../../../../contract/command.ts'
import { isFields, stringOf, text, unwrap } from '../sql/nodes.ts'
import type { Tree } from '../sql/statement.ts'
import type { Ground, RelationColumns } from './ground.ts'

export interface Unsure {
  readonly any: boolean
  /** A statement that may change the catalog is about to run. */
  note(tree: Tree | undefined, facts: Pick<Command, 'actions' | 'facts'>): void
  forget(): void
  /** The same ground, less certain. */
  over(ground: Ground): Ground
  /** For what a statement stores: a table that was made here, under the eyes of this same check, holds nothing masked. */
  forStoring(ground: Ground): Ground
  /** Origins of these kinds are not believed: a view may have been replaced. */
  distrusts(relationName: string): boolean
}

const unknown: RelationColumns = { columns: [], exact: false, rest: 'redact', hasRules: false }
const harmless: RelationColumns = { columns: [], exact: false, rest: undefined, hasRules: false }

export function createUnsure(): Unsure {
  const names = new Set<string>()
  const made = new Set<string>()
  let all = false

  function over(ground: Ground, tables: ReadonlySet<string>): Ground {
    if (!all && names.size === 0) return ground
    return {
      ...ground,
      relation(name, schema) {
        if (tables.has(name) && !all) return harmless
        return all || names.has(name) ? unknown : ground.relation(name, schema)
      },
      suspectsFunction: (name) => (all && name !== 'count') || ground.suspectsFunction(name),
      suspectsOperator: (name) => all || ground.suspectsOperator(name),
      suspectsType: (name) => ground.suspectsType(name),
    }
  }

  return {
    get any() {
      return all || names.size > 0
    },
    note(tree, { actions, facts }) {
      const node = unwrap(tree)
      if (node !== undefined && plain.has(node.type) && facts.parsed) {
        // A function that it calls may change the catalog all the same.
        if (facts.dynamic || actions.some(({ kind }) => kind === 'ddl')) all = true
        return
      }
      if (node === undefined || !followed.has(node.type)) {
        all = true
        return
      }
      collectNames(node.fields, names)
      const into = node.type === 'CreateStmt' ? node.fields.relation : intoOf(node.fields)
      const name = isFields(into) ? text(into.relname) : undefined
      if (name !== undefined && (node.type === 'CreateStmt' || node.type === 'CreateTableAsStmt')) made.add(name)
      else for (const changed of names) if (node.type !== 'IndexStmt') made.delete(changed)
    },
    forget() {
      names.clear()
      made.clear()
      all = false
    },
    over: (ground) => over(ground, new Set()),
    forStoring: (ground) => over(ground, made),
    distrusts: (name) => all || names.has(name),
  }
}

/** DDL that only changes what the relations mean that it names. Everything else may change anything. */
const followed = new Set([
  'CreateStmt', 'CreateTableAsStmt', 'ViewStmt', 'IndexStmt', 'AlterTableStmt', 'RenameStmt', 'DropStmt', 'TruncateStmt',
  'CommentStmt', 'GrantStmt', 'CreateSeqStmt', 'AlterSeqStmt', 'VacuumStmt', 'ReindexStmt', 'ClusterStmt',
]) // biome-ignore format: a list

/** Statements that change no catalog themselves. */
const plain = new Set([
  'SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'CopyStmt', 'ExplainStmt', 'PrepareStmt', 'ExecuteStmt',
  'DeallocateStmt', 'DeclareCursorStmt', 'FetchStmt', 'ClosePortalStmt', 'TransactionStmt', 'VariableSetStmt', 'VariableShowStmt',
  'LockStmt', 'ListenStmt', 'NotifyStmt', 'UnlistenStmt', 'CheckPointStmt', 'ConstraintsSetStmt', 'DiscardStmt',
]) // biome-ignore format: a list

function intoOf(fields: Readonly<Record<string, unknown>>): unknown {
  return isFields(fields.into) ? fields.into.rel : undefined
}

/** Every string that could be the name of a relation. */
function collectNames(value: unknown, names: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collectNames(item, names)
    return
  }
  if (!isFields(value)) return
  for (const key of ['relname', 'newname']) {
    const name = text(value[key])
    if (name !== undefined) names.add(name)
  }
  const word = stringOf(value)
  if (word !== undefined) names.add(word)
  for (const item of Object.values(value)) collectNames(item, names)
}
