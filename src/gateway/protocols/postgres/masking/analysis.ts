/**
 * What masks mean for one statement: worked out at its first row, kept with its tree for as long as neither the masks nor
 * the catalog change, because the same statement runs a thousand times.
 */
import type { MaskStyle } from '../../../checkpoint.ts'
import { fieldsOf, isFields, list, stringOf, text, unwrap } from '../sql/nodes.ts'
import type { Tree } from '../sql/statement.ts'
import type { FieldDescription } from './description.ts'
import { derived, type Ground, type Output, strictestOf } from './ground.ts'
import { createWalk, statementOutputs } from './lineage.ts'
import { fitOutputs, type Sensitivity } from './sensitivity.ts'
import { touchesMasked } from './touches.ts'
import type { Unsure } from './unsure.ts'

export interface Analysis {
  /** It comes near something masked. */
  readonly touches: boolean
  readonly outputs: readonly Output[]
}

export const everythingMasked: Analysis = { touches: true, outputs: [{ run: 'redact' }] }
const nothingMasked: Analysis = { touches: false, outputs: [{ run: undefined }] }

export function analyse(tree: Tree | undefined, ground: Ground): Analysis {
  if (tree === undefined) return everythingMasked
  if (!touchesMasked(tree, ground)) return nothingMasked
  return { touches: true, outputs: statementOutputs(tree, createWalk(ground)) }
}

/** Styles of the columns that a RowDescription names. */
export function describedStyles(
  fields: readonly FieldDescription[],
  { outputs }: Analysis,
  origins: { readonly sensitivity: Sensitivity; readonly unsure: Unsure } | undefined,
): readonly (MaskStyle | undefined)[] {
  const computed = fitOutputs(outputs, fields.length)
  return fields.map(({ relation, column }, index) => {
    if (relation === 0 || origins === undefined) return computed[index]
    const { sensitivity, unsure } = origins
    const style = sensitivity.column(relation, column)
    // A table's number and its columns' numbers are never used again; what a view is made of can be replaced.
    return sensitivity.isView(relation) && unsure.distrusts(sensitivity.nameOf(relation)) ? 'redact' : style
  })
}

/** Names of relations that nobody knows: the snapshot may be too old. */
export function unknownRelations(tree: Tree | undefined, sensitivity: Sensitivity): boolean {
  const tables = new Set<string>()
  const names = new Set<string>()
  collect(tree, tables, names)
  for (const name of names) if (!tables.has(name) && !sensitivity.knowsName(name)) return true
  return false
}

function collect(value: unknown, tables: Set<string>, names: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, tables, names)
    return
  }
  if (!isFields(value)) return
  if (typeof value.ctename === 'string') tables.add(value.ctename)
  if (typeof value.relname === 'string') names.add(value.relname)
  for (const item of Object.values(value)) collect(item, tables, names)
}

/** Columns of a COPY TO: of a relation by its own order, of a query as its lineage says. */
export function copyOutputs(tree: Tree | undefined, ground: Ground): readonly Output[] | undefined {
  const node = unwrap(tree)
  if (node?.type !== 'CopyStmt') return undefined
  const { fields } = node
  if (fields.query !== undefined)
    return touchesMasked(fields.query, ground)
      ? statementOutputs(fields.query, createWalk(ground))
      : [{ run: undefined }]
  const relation = isFields(fields.relation) ? fields.relation : {}
  const { columns, ordered, rest } = ground.relation(text(relation.relname) ?? '', text(relation.schemaname))
  const named = list(fields.attlist).map((name) => stringOf(name))
  if (!ordered) return [{ run: derived(strictestOf([...columns, { run: rest }])) }]
  if (named.length === 0) return columns.filter(({ generated }) => generated !== true)
  return named.map((name) => columns.find((column) => column.name === name) ?? { name, style: 'redact' })
}

export function copyOptionsOf(tree: Tree | undefined): unknown {
  return fieldsOf(tree, 'CopyStmt')?.options
}
