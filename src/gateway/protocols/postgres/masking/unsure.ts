/**
 * What an open transaction has changed of the catalog: nobody outside it can see that, so the snapshot is wrong about it.
 * Names that it adds are taken for unknown (and what is unknown is masked) until the transaction has ended; after anything
 * that alters or replaces, every name is.
 */
import type { Command } from '../../../../contract/command.ts'
import { type Fields, fieldsOf, isFields, list, text, unwrap } from '../sql/nodes.ts'
import type { Tree } from '../sql/statement.ts'
import type { Ground, RelationColumns } from './ground.ts'

export interface Unsure {
  readonly any: boolean
  /**
   * A statement that may change the catalog is about to run. `touches`: it comes near something masked, or reads it when
   * it is called.
   */
  note(tree: Tree | undefined, facts: Pick<Command, 'actions' | 'facts'>, touches: boolean): void
  forget(): void
  /** The same ground, less certain. */
  over(ground: Ground): Ground
  /** For what a statement stores: a table that was made here, under the eyes of this same check, holds nothing masked. */
  forStoring(ground: Ground): Ground
  /** Origins of these kinds are not believed: a view may have been replaced. */
  distrusts(relationName: string): boolean
}

const unknown: RelationColumns = {
  columns: [],
  exact: false,
  ordered: false,
  rest: 'redact',
  touches: true,
  hasRules: false,
}
const harmless: RelationColumns = {
  columns: [],
  exact: false,
  ordered: false,
  rest: undefined,
  touches: false,
  hasRules: false,
}

/** The catalog cannot be asked at all: every relation is unknown. */
export const unknownGround: Ground = {
  relation: () => unknown,
  suspectsFunction: (name) => name !== 'count',
  suspectsOperator: () => false,
  suspectsType: () => false,
  prepared: () => undefined,
  cursor: () => undefined,
}

export function createUnsure(): Unsure {
  const names = new Set<string>()
  const made = new Set<string>()
  let all = false
  /** A function may name, now or later, what else the transaction makes. */
  let madeFunction = false
  let madeNear = false
  let changed = false

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
      return changed || all || names.size > 0
    },
    note(tree, { actions, facts }, touches) {
      const node = unwrap(tree)
      if (node !== undefined && plain.has(node.type) && facts.parsed) {
        // A function that it calls may change the catalog all the same.
        if (facts.dynamic || actions.some(({ kind }) => kind === 'ddl')) all = true
        return
      }
      changed = true
      madeFunction ||= node?.type === 'CreateFunctionStmt'
      madeNear ||= touches && !renamesNothing.has(node?.type ?? '')
      if (madeFunction && madeNear) all = true
      const name = node === undefined ? undefined : newNameOf(node.type, node.fields)
      if (node === undefined || name === undefined) {
        all ||= node === undefined || !(renamesNothing.has(node.type) || (!touches && addsOnly(node.type, node.fields)))
        return
      }
      names.add(name)
      if (node.type === 'ViewStmt') made.delete(name)
      else made.add(name)
    },
    forget() {
      names.clear()
      made.clear()
      all = false
      madeFunction = false
      madeNear = false
      changed = false
    },
    over: (ground) => over(ground, new Set()),
    forStoring: (ground) => over(ground, made),
    distrusts: (name) => all || names.has(name),
  }
}

/**
 * The name of what a statement adds, where that is all it changes. Whatever alters or replaces may change what views and
 * child tables show that it does not name.
 */
function newNameOf(type: string, fields: Fields): string | undefined {
  const relation = { CreateStmt: fields.relation, ViewStmt: fields.view, CreateTableAsStmt: intoOf(fields) }[type]
  return fields.replace === true || !isFields(relation) ? undefined : text(relation.relname)
}

/** They add and take away, and no name means anything else afterwards. */
const renamesNothing = new Set(
  (
    'IndexStmt DropStmt TruncateStmt CommentStmt GrantStmt CreateSeqStmt AlterSeqStmt VacuumStmt ReindexStmt ClusterStmt ' +
    'CreateTrigStmt CreateEnumStmt AlterEnumStmt CompositeTypeStmt CreatePolicyStmt CreateStatsStmt RefreshMatViewStmt'
  ).split(' '),
)

/** Where nothing masked is near: a function that reads nothing masked, and changes of a table that leave its names alone. */
function addsOnly(type: string, fields: Fields): boolean {
  if (type === 'CreateFunctionStmt' || type === 'CreateDomainStmt') return true
  return (
    type === 'AlterTableStmt' &&
    list(fields.cmds).every((item) => leavesNames.has(String(fieldsOf(item, 'AlterTableCmd')?.subtype)))
  )
}

const leavesNames = new Set(
  (
    'AT_AddColumn AT_ColumnDefault AT_DropNotNull AT_SetNotNull AT_AddConstraint AT_DropConstraint AT_ValidateConstraint ' +
    'AT_AlterConstraint AT_SetStatistics AT_SetStorage AT_AddIdentity AT_SetIdentity AT_DropIdentity AT_EnableRowSecurity ' +
    'AT_DisableRowSecurity AT_ForceRowSecurity AT_NoForceRowSecurity AT_AlterColumnType AT_ReplicaIdentity AT_ChangeOwner'
  ).split(' '),
)

/** Statements that change no catalog themselves. */
const plain = new Set([
  'SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'CopyStmt', 'ExplainStmt', 'PrepareStmt', 'ExecuteStmt',
  'DeallocateStmt', 'DeclareCursorStmt', 'FetchStmt', 'ClosePortalStmt', 'TransactionStmt', 'VariableSetStmt', 'VariableShowStmt',
  'LockStmt', 'ListenStmt', 'NotifyStmt', 'UnlistenStmt', 'CheckPointStmt', 'ConstraintsSetStmt', 'DiscardStmt',
]) // biome-ignore format: a list

function intoOf(fields: Readonly<Record<string, unknown>>): unknown {
  return isFields(fields.into) ? fields.into.rel : undefined
}
