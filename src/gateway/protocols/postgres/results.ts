/**
 * What a person gets to see of what the target answers: rows, COPY, and everything else it says, masked as the permit
 * demands. Where a value comes from is told by the server itself (table and column numbers in RowDescription) and, for
 * what it computes, by the statement's own tree; docs/masking.md says what that can and cannot do.
 *
 * Whatever cannot be understood, or looked up, is withheld.
 */
import type { Masks, MaskStyle } from '../../checkpoint.ts'
import { type Analysis, analyse, describedStyles, everythingMasked, unknownRelations } from './masking/analysis.ts'
import { createMaskCatalogs, type MaskCatalog } from './masking/catalog.ts'
import { codecOf } from './masking/codec.ts'
import { copyHandling } from './masking/copy-handling.ts'
import { createDefinitions } from './masking/definitions.ts'
import { readDescription } from './masking/description.ts'
import { derived, type Ground, type Output, strictestOf } from './masking/ground.ts'
import { createWalk } from './masking/lineage.ts'
import { maskFunctionResult } from './masking/function-result.ts'
import { createRowFilter, createUnknownRows } from './masking/row-filter.ts'
import { maskSaid } from './masking/said.ts'
import { createSensitivity, type Sensitivity } from './masking/sensitivity.ts'
import { storesMasked } from './masking/stores.ts'
import { callsSuspects } from './masking/touches.ts'
import { carrierOf, isPlain } from './masking/types.ts'
import { createUnsure, unknownGround } from './masking/unsure.ts'
import type { ValuePlan } from './masking/values.ts'
import type { OpenSideConnection, ResultMasker, SqlSession, Statement } from './parts.ts'
import { unwrap } from './sql/nodes.ts'
import type { Tree } from './sql/statement.ts'

/** One for the gateway. Makes a masker for each conversation; `database` names the database it is with: `pg-prod/shop`. */
export function createResultMaskers(
  elapsed: () => number,
): (open: OpenSideConnection, database: string) => ResultMasker {
  const catalogs = createMaskCatalogs(elapsed)
  return (open, database) => createResultMasker({ open, catalog: catalogs.of(database) })
}

interface ResultMaskerSettings {
  readonly open: OpenSideConnection
  readonly catalog: MaskCatalog
}

/** What masks mean at this target, at one moment. */
export interface Context {
  readonly sensitivity: Sensitivity
  readonly ground: Ground
}

function createResultMasker({ open, catalog }: ResultMaskerSettings): ResultMasker {
  const unsure = createUnsure()
  const definitions = createDefinitions()
  /** A function that nobody can follow was called: it may have opened cursors, or prepared statements, of any name. */
  let foreignNames = false
  const analyses = new WeakMap<Tree, { readonly sensitivity: Sensitivity; readonly analysis: Analysis }>()
  /** By masks: what a person may see, and what may be recorded. */
  const latest = new Map<string, { readonly generation: number; readonly sensitivity: Sensitivity }>()

  /** undefined: nobody can be asked, so everything is masked. */
  async function sensitivityOf(masks: Masks, tree: Tree | undefined): Promise<Sensitivity | undefined> {
    try {
      const query = async (sql: string) => (await open()).query(sql)
      // What this transaction changes it also locks, and nobody outside sees it: a newer snapshot would wait in vain.
      const before = unsure.any ? catalog.last() : undefined
      if (before !== undefined) return await derive(masks, before)
      let known = await catalog.current(query)
      let sensitivity = await derive(masks, known)
      if (unknownRelations(tree, sensitivity)) {
        known = await catalog.renewed(query, known)
        sensitivity = await derive(masks, known)
      }
      return sensitivity
    } catch {
      // Fail closed: what cannot be looked up is masked. The next statement asks again.
      return undefined
    }
  }

  async function derive(masks: Masks, known: Awaited<ReturnType<MaskCatalog['current']>>): Promise<Sensitivity> {
    const found = latest.get(masks.key)
    if (found?.generation === known.generation) return found.sensitivity
    const sensitivity = createSensitivity(masks, known, await catalog.parser())
    // Masks change when the configuration does: old ones are not worth keeping.
    if (latest.size > 4) latest.clear()
    latest.set(masks.key, { generation: known.generation, sensitivity })
    return sensitivity
  }

  function groundFor(sensitivity: Sensitivity, session: SqlSession): Ground {
    const ground: Ground = {
      ...sensitivity.ground,
      prepared: (name) =>
        foreignNames ? undefined : merged(session.prepared.get(name), (tree) => outputsOf(tree, ground)),
      cursor(name) {
        const declared = session.cursors.get(name)
        return declared === undefined || foreignNames
          ? undefined
          : merged([declared], (tree) => outputsOf(tree, ground))
      },
    }
    return unsure.over(ground)
  }

  function analysisOf(statement: Statement, sensitivity: Sensitivity | undefined, session: SqlSession): Analysis {
    const { tree } = statement.masking
    if (sensitivity === undefined || tree === undefined) return everythingMasked
    // What EXECUTE and FETCH show depends on the session, not on their text.
    const lasting = !unsure.any && !('ExecuteStmt' in tree) && !('FetchStmt' in tree)
    const kept = lasting ? analyses.get(tree) : undefined
    if (kept?.sensitivity === sensitivity) return kept.analysis
    const analysis = analyse(tree, groundFor(sensitivity, session))
    if (lasting) analyses.set(tree, { sensitivity, analysis })
    return analysis
  }

  /** All that was under way is answered, and no transaction is open: what it has changed can be seen by now. */
  function becomeSure(session: SqlSession): void {
    if (!unsure.any || !session.certain || session.transaction !== 'I') return
    unsure.forget()
    definitions.forget()
    catalog.invalidate()
  }

  /** Also a function that would do so when it is called. */
  async function comesNear(statement: Statement, masks: Masks, session: SqlSession): Promise<boolean> {
    const { tree } = statement.masking
    const sensitivity = masks.hasColumns ? await sensitivityOf(masks, tree) : undefined
    if (!masks.hasColumns || sensitivity === undefined || tree === undefined) return masks.hasColumns
    return definitions.isNear(tree, sensitivity, groundFor(sensitivity, session))
  }

  async function objectionTo(statement: Statement, masks: Masks, session: SqlSession): Promise<string | undefined> {
    if (!masks.hasColumns) return undefined
    const { tree } = statement.masking
    const sensitivity = await sensitivityOf(masks, tree)
    // Fail closed: nobody can tell what it does. A fast-path function call has no tree either, but was understood.
    if (tree === undefined) return statement.command.facts.parsed ? undefined : cannotTell
    const defined =
      sensitivity === undefined
        ? undefined
        : definitions.objection(tree, statement.command.text, sensitivity, unsure.over(sensitivity.ground))
    if (defined !== undefined)
      return `it would let masked values be stored ${defined}, where they could not be recognised`
    if (sensitivity !== undefined && !analysisOf(statement, sensitivity, session).touches && !('DoStmt' in tree))
      return undefined
    foreignNames ||= sensitivity === undefined || callsSuspects(tree, unsure.over(sensitivity.ground))
    const ground = sensitivity === undefined ? unknownGround : unsure.forStoring(groundFor(sensitivity, session))
    const place = storesMasked(tree, {
      walk: createWalk(ground),
      storing: definitions.over(sensitivity?.suspects.storing),
      mentionsMasked: (text) => sensitivity?.mentionsMasked(text) ?? true,
      prepared: (name) => session.prepared.get(name)?.map(({ masking }) => masking.tree),
    })
    return place === undefined ? undefined : `it would store masked values ${place}, where they could not be recognised`
  }

  async function stylesFor(
    masks: Masks,
    fields: ReturnType<typeof readDescription>,
    statement: Statement,
    session: SqlSession,
    fresh: boolean,
  ): Promise<readonly ValuePlan[]> {
    let styles: readonly (MaskStyle | undefined)[] = []
    let textTypes: ReadonlySet<number> = new Set()
    if (masks.hasColumns) {
      const sensitivity = await sensitivityOf(masks, statement.masking.tree)
      const analysis = analysisOf(statement, sensitivity, session)
      styles = describedStyles(
        fields,
        analysis,
        fresh && sensitivity !== undefined ? { sensitivity, unsure } : undefined,
      )
      if (sensitivity !== undefined) textTypes = sensitivity.textTypes
    }
    return fields.map(({ type, binary }, index) => ({
      type,
      binary,
      carrier: carrierOf(type, textTypes),
      style: styles[index],
    }))
  }

  return {
    async before(statement, permit, session) {
      becomeSure(session)
      const objection = await objectionTo(statement, permit.masks, session)
      if (objection === undefined && statement.effects.some(({ type }) => type === 'ddl')) {
        unsure.note(statement.masking.tree, statement.command, await comesNear(statement, permit.masks, session))
        if (unsure.any) catalog.expectChange()
      }
      return objection
    },

    async rows(description, statement, permit, session, fresh) {
      const { masks, recordMasks, sampleRows } = permit
      becomeSure(session)
      if (description === undefined) return masks.empty ? 'untouched' : createUnknownRows()
      const fields = readDescription(description)
      const columns = await stylesFor(masks, fields, statement, session, fresh)
      const clean = columns.every(({ style, type }) => style === undefined && (!masks.hasDetectors || isPlain(type)))
      if (clean && sampleRows === 0) return 'untouched'
      const same = sampleRows === 0 || recordMasks.key === masks.key
      return createRowFilter({
        description,
        names: fields.map(({ name }) => name),
        codec: codecOf(session.parameters.get('client_encoding')),
        shown: { columns, masks },
        recorded: same
          ? { columns, masks }
          : { columns: await stylesFor(recordMasks, fields, statement, session, fresh), masks: recordMasks },
        clean,
        sampleRows,
      })
    },

    async copyOut(response, statement, permit, session) {
      return copyHandling({
        response,
        tree: statement.masking.tree,
        permit,
        clientEncoding: session.parameters.get('client_encoding'),
        context: async (masks): Promise<Context | undefined> => {
          const sensitivity = await sensitivityOf(masks, statement.masking.tree)
          return sensitivity === undefined ? undefined : { sensitivity, ground: groundFor(sensitivity, session) }
        },
      })
    },

    said(frame, permit, session, statement) {
      const sensitivity = latest.get(permit.masks.key)?.sensitivity
      if (frame[0] === functionResult) return maskFunctionResult(frame, permit.masks, statement?.command, sensitivity)
      const touched =
        statement === undefined || (permit.masks.hasColumns && analysisOf(statement, sensitivity, session).touches)
      return maskSaid(frame, {
        masks: permit.masks,
        codec: codecOf(session.parameters.get('client_encoding')),
        touched,
        asked: statement?.command.text,
        isMasked: (schema, table) => sensitivity?.masksTable(schema, table) ?? true,
        mentionsMasked: (text) => sensitivity?.mentionsMasked(text) ?? true,
        suspectsFunction: (name) => sensitivity?.ground.suspectsFunction(name) ?? true,
      })
    },
  }
}

/** FunctionCallResponse. */
const functionResult = 0x56

const cannotTell = 'it may store masked values where they could not be recognised: it was not understood'

/** All that a name may stand for, as one; undefined as soon as one of them is not known. */
function merged(
  statements: readonly Statement[] | undefined,
  outputsOf: (tree: Tree) => readonly Output[],
): readonly Output[] | undefined {
  if (statements === undefined || statements.length === 0) return undefined
  const all: (readonly Output[])[] = []
  for (const { masking } of statements) {
    if (masking.tree === undefined) return undefined
    all.push(outputsOf(innerOf(masking.tree)))
  }
  const [only, ...others] = all
  return others.length === 0 ? only : [{ run: derived(strictestOf(all.flat())) }]
}

/** What DECLARE or PREPARE holds, where it is kept with its wrapping. */
function innerOf(tree: Tree): Tree {
  const node = unwrap(tree)
  if (node?.type !== 'DeclareCursorStmt' && node?.type !== 'PrepareStmt') return tree
  // The parser made it: a statement's query is a statement.
  return node.fields.query as Tree
}

function outputsOf(tree: Tree, ground: Ground): readonly Output[] {
  return analyse(tree, ground).outputs
}
