/**
 * What a person gets to see of what the target answers: rows, COPY, and everything else it says, masked as the permit
 * demands. Where a value comes from is told by the server itself (table and column numbers in RowDescription) and, for
 * what it computes, by the statement's own tree; docs/masking.md says what that can and cannot do.
 *
 * Whatever cannot be understood, or looked up, is withheld.
 */
import type { Masks, MaskStyle } from '../../checkpoint.ts'
import { describedStyles } from './masking/analysis.ts'
import { createMaskCatalogs } from './masking/catalog.ts'
import { codecOf } from './masking/codec.ts'
import { copyHandling } from './masking/copy-handling.ts'
import { readDescription } from './masking/description.ts'
import { maskFunctionResult } from './masking/function-result.ts'
import type { Ground } from './masking/ground.ts'
import { createObjection } from './masking/objections.ts'
import { createOutlook, type Database } from './masking/outlook.ts'
import { createRowPlan, createUnknownRows } from './masking/row-filter.ts'
import { createRowPlans, type Plan, type PlanGrounds } from './masking/row-plans.ts'
import { maskSaid } from './masking/said.ts'
import { createSensitivities } from './masking/sensitivities.ts'
import type { Sensitivity } from './masking/sensitivity.ts'
import { carrierOf, isPlain } from './masking/types.ts'
import type { ValuePlan } from './masking/values.ts'
import type { OpenSideConnection, ResultMasker, RowHandling, SqlSession, Statement } from './parts.ts'
import type { Tree } from './sql/statement.ts'

/** One for the gateway. Makes a masker for each conversation; `database` names the database it is with: `pg-prod/shop`. */
export function createResultMaskers(
  elapsed: () => number,
): (open: OpenSideConnection, database: string) => ResultMasker {
  const catalogs = createMaskCatalogs(elapsed)
  const databases = new Map<string, Database>()
  return (open, name) => {
    const catalog = catalogs.of(name)
    const database = databases.get(name) ?? { catalog, sensitivities: createSensitivities(catalog) }
    databases.set(name, database)
    return createResultMasker(open, database)
  }
}

/** What masks mean at this target, at one moment. */
export interface Context {
  readonly sensitivity: Sensitivity
  readonly ground: Ground
}

function createResultMasker(open: OpenSideConnection, database: Database): ResultMasker {
  const { catalog, sensitivities } = database
  const outlook = createOutlook(open, database)
  const { unsure, sensitivityOf, analysisOf } = outlook
  const objectionTo = createObjection(outlook, catalog)
  const plans = createRowPlans()

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

  async function plannedRows(statement: Statement, session: SqlSession, grounds: PlanGrounds): Promise<RowHandling> {
    const { tree } = statement.masking
    const plan = await planRows(statement, session, grounds)
    const { permit, generation } = grounds
    if (
      tree !== undefined &&
      (!needsCatalog(permit) || (generation !== undefined && holdsFor(generation, tree, permit)))
    )
      plans.keep(tree, grounds, plan)
    return begin(plan)
  }

  /** Nothing has changed meanwhile, nothing could not be looked up, and no name in it is still to be found out. */
  function holdsFor(
    generation: number,
    tree: Tree,
    { masks, recordMasks, sampleRows }: PlanGrounds['permit'],
  ): boolean {
    const used = sampleRows > 0 ? [masks, recordMasks] : [masks]
    return (
      outlook.isLasting(tree) &&
      outlook.generation === generation &&
      outlook.knowsNames(tree, generation) &&
      used.every((each) => !each.hasColumns || outlook.present(each) !== undefined)
    )
  }

  async function planRows(statement: Statement, session: SqlSession, grounds: PlanGrounds): Promise<Plan> {
    const { description, permit, fresh, clientEncoding } = grounds
    const { masks, recordMasks, sampleRows } = permit
    const fields = readDescription(description)
    const columns = await stylesFor(masks, fields, statement, session, fresh)
    const clean = columns.every(({ style, type }) => style === undefined && (!masks.hasDetectors || isPlain(type)))
    if (clean && sampleRows === 0) return 'untouched'
    const shown = { columns, masks }
    const same = sampleRows === 0 || recordMasks.key === masks.key
    return createRowPlan({
      names: fields.map(({ name }) => name),
      codec: codecOf(clientEncoding),
      shown,
      recorded: same
        ? shown
        : { columns: await stylesFor(recordMasks, fields, statement, session, fresh), masks: recordMasks },
      clean,
      sampleRows,
    })
  }

  return {
    before(statement, permit, session) {
      outlook.becomeSure(session)
      return objectionTo(statement, permit, session)
    },

    rows(description, statement, permit, session, fresh) {
      outlook.becomeSure(session)
      if (description === undefined) return permit.masks.empty ? 'untouched' : createUnknownRows()
      const { tree } = statement.masking
      const { generation } = outlook
      const clientEncoding = session.parameters.get('client_encoding')
      const grounds: PlanGrounds = { description, permit, generation, clientEncoding, fresh }
      const known = tree !== undefined && (!needsCatalog(permit) || generation !== undefined)
      const kept = known ? plans.find(tree, grounds) : undefined
      return kept === undefined ? plannedRows(statement, session, grounds) : begin(kept)
    },

    async copyOut(response, statement, permit, session) {
      return copyHandling({
        response,
        tree: statement.masking.tree,
        permit,
        clientEncoding: session.parameters.get('client_encoding'),
        context: async (masks): Promise<Context | undefined> => {
          const sensitivity = await sensitivityOf(masks, statement.masking.tree)
          return sensitivity === undefined
            ? undefined
            : { sensitivity, ground: outlook.groundFor(sensitivity, session) }
        },
      })
    },

    said(frame, permit, session, statement) {
      const sensitivity = sensitivities.latest(permit.masks)
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

/** Without masks of columns a plan does not depend on the catalog. */
function needsCatalog({ masks, recordMasks, sampleRows }: PlanGrounds['permit']): boolean {
  return masks.hasColumns || (sampleRows > 0 && recordMasks.hasColumns)
}

function begin(plan: Plan): RowHandling {
  return plan === 'untouched' ? plan : plan()
}

/** FunctionCallResponse. */
const functionResult = 0x56
