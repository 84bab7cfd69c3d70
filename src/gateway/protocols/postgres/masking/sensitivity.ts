/**
 * What of a database must not be seen under these masks: columns of tables by their names, columns of views by what they
 * are made of, and functions that read either. Worked out once for each pair of masks and snapshot.
 */
import type { Masks, MaskStyle } from '../../../checkpoint.ts'
import { fieldsOf, list } from '../sql/nodes.ts'
import { systemSamples } from './builtins.ts'
import { type Known, nameOf, type Parse } from './catalog.ts'
import { expressionStyle } from './expressions.ts'
import { findSuspects, type Suspects } from './suspects.ts'
import { derived, type Ground, type OutColumn, type Output, type RelationColumns, strictestOf } from './ground.ts'
import { createWalk, statementOutputs } from './lineage.ts'
import { createScope, itemOf } from './scope.ts'
import type { Relation, Snapshot } from './snapshot.ts'
import { strictest } from './strictness.ts'
import { touchesMasked } from './touches.ts'

export interface Sensitivity {
  readonly ground: Ground
  /** Of a column that the server says a value comes from; undefined: it may be seen. 0 is the whole row. */
  column(relation: number, column: number): MaskStyle | undefined
  /** Is there a relation of this number, or of this name, at all? */
  knows(relation: number): boolean
  knowsName(relation: string): boolean
  isView(relation: number): boolean
  nameOf(relation: number): string
  /** Has a relation of this name masked columns? In any schema where none is given. */
  masksTable(schema: string | undefined, name: string): boolean
  readonly suspects: Suspects
  /** Text (of a DO block, or of a function) that names something masked, or runs SQL that cannot be seen. */
  mentionsMasked(text: string): boolean
  readonly textTypes: ReadonlySet<number>
}

export function createSensitivity(masks: Masks, known: Known, parse: Parse): Sensitivity {
  const { snapshot } = known
  const base = baseStyles(masks, known)
  const suspects = findSuspects(snapshot, (relation) => base.has(relation.oid), namesOf(snapshot, base))
  const views = new Map<number, readonly OutColumn[]>()
  const touching = new Map<number, boolean>()
  /** What a name stands for, by schema and name; not while relations are still being worked out, as that is not final. */
  const merged = new Map<string, RelationColumns>()
  let unfinished = 0

  function columnsOf(relation: Relation): readonly OutColumn[] {
    const found = views.get(relation.oid)
    if (found !== undefined) return found
    const own = base.get(relation.oid)
    const plain = relation.columns.map(({ number, name, type, generated }) => ({
      name,
      type,
      style: suspects.sources.has(type) ? 'redact' : own?.get(number),
      ...(generated === null ? {} : { generated: true }),
    }))
    if (relation.definition === null && relation.columns.every(({ generated }) => generated === null)) {
      views.set(relation.oid, plain)
      return plain
    }
    // While it is being worked out, whatever leads back to it is masked.
    unfinished++
    views.set(
      relation.oid,
      plain.map((column) => ({ ...column, style: 'redact' })),
    )
    const made =
      relation.definition === null ? generatedStyles(relation, plain) : viewStyles(relation.definition, plain.length)
    const columns = plain.map((column, index) => ({ ...column, style: strictest(column.style, made[index]) }))
    views.set(relation.oid, columns)
    unfinished--
    return columns
  }

  function touchesOf({ oid, definition }: Relation): boolean {
    if (definition === null) return false
    const found = touching.get(oid)
    if (found !== undefined) return found
    unfinished++
    touching.set(oid, true)
    const tree = parse(definition)?.[0]
    const touches = tree === undefined || touchesMasked(tree, ground)
    touching.set(oid, touches)
    unfinished--
    return touches
  }

  /** A column without a mask that is filled with masked values where INSERT does not give it any. */
  function fillsItself(relation: Relation): boolean {
    const columns = columnsOf(relation)
    return relation.columns.some((column, index) => {
      if (column.default === null || columns[index]?.style !== undefined) return false
      const tree = parse(`SELECT ${column.default}`)?.[0]
      return tree === undefined || strictestOf(statementOutputs(tree, walk)) !== undefined
    })
  }

  function viewStyles(definition: string, count: number): readonly (MaskStyle | undefined)[] {
    const tree = parse(definition)?.[0]
    return tree === undefined ? Array(count).fill('redact') : fitOutputs(statementOutputs(tree, walk), count)
  }

  function generatedStyles(relation: Relation, plain: readonly OutColumn[]): readonly (MaskStyle | undefined)[] {
    return relation.columns.map(({ generated }) => {
      if (generated === null) return undefined
      const tree = parse(`SELECT ${generated}`)?.[0]
      const target = fieldsOf(list(fieldsOf(tree, 'SelectStmt')?.targetList)[0], 'ResTarget')
      if (target === undefined) return 'redact'
      const scope = createScope(undefined)
      scope.items.push(itemOf(relation.name, plain))
      return derived(expressionStyle(target.val, scope, walk))
    })
  }

  function relation(name: string, schema: string | undefined): RelationColumns {
    const key = schema === undefined ? name : `${schema}\0${name}`
    const before = merged.get(key)
    if (before !== undefined) return before
    const named = snapshot.byName.get(name) ?? []
    const fitting =
      schema === undefined ? named : named.filter((one) => one.schema === schema || isTemporary(one, schema))
    const found = merge(fitting, columnsOf, touchesOf, fillsItself)
    // Names come from whoever asks: those that stand for nothing are not kept.
    if (unfinished === 0 && fitting.length > 0) merged.set(key, found)
    return found
  }

  const ground: Ground = {
    relation,
    suspectsFunction: (name) => suspects.functions.has(name),
    suspectsOperator: (name) => suspects.operators.has(name),
    suspectsType: (name) => suspects.types.has(name),
    prepared: () => undefined,
    cursor: () => undefined,
  }
  const walk = createWalk(ground)

  return {
    ground,
    knows: (relation) => snapshot.byOid.has(relation),
    column(oid, number) {
      const relation = snapshot.byOid.get(oid)
      if (relation === undefined) return 'redact'
      if (number < 0) return undefined
      const columns = columnsOf(relation)
      if (number === 0) return derived(strictestOf(columns))
      const index = relation.columns.findIndex((column) => column.number === number)
      return index < 0 ? 'redact' : columns[index]?.style
    },
    knowsName: (name) => snapshot.byName.has(name),
    isView: (oid) => snapshot.byOid.get(oid)?.definition !== null,
    nameOf: (oid) => snapshot.byOid.get(oid)?.name ?? '',
    masksTable(schema, name) {
      const { columns, rest } = ground.relation(name, schema === '' ? undefined : schema)
      return rest !== undefined || strictestOf(columns) !== undefined
    },
    suspects,
    mentionsMasked: suspects.mentioned,
    textTypes: snapshot.textTypes,
  }
}

function isTemporary(relation: Relation, schema: string): boolean {
  return schema === 'pg_temp' && relation.schema.startsWith('pg_temp_')
}

/** Several relations of one name, as one: which of them is meant depends on search_path, which may change. */
function merge(
  relations: readonly Relation[],
  columnsOf: (relation: Relation) => readonly OutColumn[],
  touchesOf: (relation: Relation) => boolean,
  fillsItself: (relation: Relation) => boolean,
): RelationColumns {
  const fills = relations.some(fillsItself)
  const touches = fills || relations.length === 0 || relations.some(touchesOf)
  const all = relations.map(columnsOf)
  const [first, ...others] = all
  // Nothing of that name is known: masked, whatever it is.
  if (first === undefined)
    return { columns: [], exact: false, ordered: false, rest: 'redact', touches, fills, hasRules: false }
  const hasRules = relations.some((relation) => relation.hasRules && !relation.system)
  if (others.length === 0)
    return { columns: first, exact: true, ordered: true, rest: undefined, touches, fills, hasRules }
  const ordered = others.every(
    (other) => other.length === first.length && other.every(({ name }, index) => name === first[index]?.name),
  )
  const byName = new Map<string | undefined, OutColumn[]>()
  for (const column of all.flat()) byName.set(column.name, [...(byName.get(column.name) ?? []), column])
  const columns = [...byName.values()].map((same) => {
    const [one] = same
    const type = same.every((column) => column.type === one?.type) ? one?.type : undefined
    return { ...one, name: one?.name, type, style: strictestOf(same), perhaps: same.length < all.length }
  })
  return { columns, exact: true, ordered, rest: undefined, touches, fills, hasRules }
}

/** Columns that are masked by their own name, by a former name, by a name they inherit or bequeath, or as samples of values. */
function baseStyles(masks: Masks, known: Known): ReadonlyMap<number, ReadonlyMap<number, MaskStyle>> {
  const { snapshot } = known
  const styles = new Map<number, Map<number, MaskStyle>>()
  const add = (relation: number, column: number, style: MaskStyle): boolean => {
    const columns = styles.get(relation) ?? new Map<number, MaskStyle>()
    const before = columns.get(column)
    const after = strictest(before, style) ?? style
    if (before === after) return false
    columns.set(column, after)
    styles.set(relation, columns)
    return true
  }
  for (const relation of snapshot.byOid.values())
    for (const { number, name } of relation.columns) {
      if (relation.schema === 'pg_catalog' && systemSamples[relation.name]?.has(name) === true)
        add(relation.oid, number, 'redact')
      let style = masks.column(nameOf(relation, name))
      for (const former of known.formerNames(relation.oid, number)) style = strictest(style, masks.column(former))
      if (style !== undefined) add(relation.oid, number, style)
    }
  inheritStyles(snapshot, styles, add)
  for (const relation of snapshot.byOid.values())
    if (relation.toast !== 0 && styles.has(relation.oid))
      for (const { number } of snapshot.byOid.get(relation.toast)?.columns ?? []) add(relation.toast, number, 'redact')
  return styles
}

function namesOf(snapshot: Snapshot, styles: ReadonlyMap<number, ReadonlyMap<number, MaskStyle>>): ReadonlySet<string> {
  const names = [...styles].flatMap(([oid, columns]) =>
    (snapshot.byOid.get(oid)?.columns ?? []).flatMap(({ number, name }) => (columns.has(number) ? [name] : [])),
  )
  return new Set(names)
}

function inheritStyles(
  snapshot: Snapshot,
  styles: ReadonlyMap<number, ReadonlyMap<number, MaskStyle>>,
  add: (relation: number, column: number, style: MaskStyle) => boolean,
): void {
  const copy = (from: number, to: number): boolean => {
    let changed = false
    for (const [number, style] of styles.get(from) ?? []) {
      const name = snapshot.byOid.get(from)?.columns.find((column) => column.number === number)?.name
      const same = snapshot.byOid.get(to)?.columns.find((column) => column.name === name)
      if (same !== undefined && add(to, same.number, style)) changed = true
    }
    return changed
  }
  // A parent shows its children's rows, and a child holds what its parent shows.
  for (let changed = true; changed; ) {
    changed = false
    for (const [child, parent] of snapshot.inherits) changed = copy(parent, child) || copy(child, parent) || changed
  }
}

/** Outputs laid over a known number of columns. Where they do not fit, every column gets the strictest of all. */
export function fitOutputs(outputs: readonly Output[], count: number): readonly (MaskStyle | undefined)[] {
  const runs = outputs.filter((output) => 'run' in output).length
  const fixed = outputs.length - runs
  if (runs === 0 ? fixed === count : runs === 1 && fixed <= count) {
    return outputs.flatMap((output) =>
      'run' in output ? Array<MaskStyle | undefined>(count - fixed).fill(output.run) : [output.style],
    )
  }
  return Array<MaskStyle | undefined>(count).fill(derived(strictestOf(outputs)))
}
