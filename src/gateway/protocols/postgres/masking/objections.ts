/**
 * What must not be forwarded: a statement that would store masked values where nobody could recognise them any more, or
 * define something that will. Statements that were gone through before are not gone through again.
 */
import type { Masks, Permit } from '../../../checkpoint.ts'
import type { SqlSession, Statement } from '../parts.ts'
import type { Soon } from '../soon.ts'
import type { Tree } from '../sql/statement.ts'
import type { MaskCatalog } from './catalog.ts'
import { createWalk } from './lineage.ts'
import type { Outlook } from './outlook.ts'
import type { Sensitivity } from './sensitivity.ts'
import { storesMasked } from './stores.ts'
import { callsSuspects } from './touches.ts'
import { unknownGround } from './unsure.ts'

/** A sentence that says what is wrong with it; undefined: nothing. At once where that is known. */
export type Objection = (statement: Statement, permit: Permit, session: SqlSession) => Soon<string | undefined>

export function createObjection(outlook: Outlook, catalog: Pick<MaskCatalog, 'expectChange'>): Objection {
  const { unsure, definitions, sensitivityOf, groundFor } = outlook
  /** Statements that store nothing masked, under this sensitivity. */
  const harmless = new WeakMap<Tree, Sensitivity>()

  /** Also a function that would do so when it is called. */
  async function comesNear(statement: Statement, masks: Masks, session: SqlSession): Promise<boolean> {
    const { tree } = statement.masking
    const sensitivity = masks.hasColumns ? await sensitivityOf(masks, tree) : undefined
    if (!masks.hasColumns || sensitivity === undefined || tree === undefined) return masks.hasColumns
    return definitions.isNear(tree, sensitivity, groundFor(sensitivity, session))
  }

  /** It was gone through before, under the same masks and catalog, and stores nothing. */
  function isHarmless(tree: Tree | undefined, masks: Masks): boolean {
    if (tree === undefined || definitions.any || !outlook.isLasting(tree)) return false
    const sensitivity = outlook.present(masks)
    return sensitivity !== undefined && harmless.get(tree) === sensitivity
  }

  async function objectionTo(statement: Statement, masks: Masks, session: SqlSession): Promise<string | undefined> {
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
    if (
      sensitivity !== undefined &&
      !outlook.analysisOf(statement, sensitivity, session).touches &&
      !('DoStmt' in tree)
    ) {
      rememberHarmless(tree, sensitivity)
      return undefined
    }
    if (sensitivity === undefined || callsSuspects(tree, unsure.over(sensitivity.ground))) outlook.distrustNames()
    const ground = sensitivity === undefined ? unknownGround : unsure.forStoring(groundFor(sensitivity, session))
    const place = storesMasked(tree, {
      walk: createWalk(ground),
      storing: definitions.over(sensitivity?.suspects.storing),
      mentionsMasked: (text) => sensitivity?.mentionsMasked(text) ?? true,
      prepared: (name) => session.prepared.get(name)?.map(({ masking }) => masking.tree),
    })
    if (place !== undefined) return `it would store masked values ${place}, where they could not be recognised`
    if (sensitivity !== undefined) rememberHarmless(tree, sensitivity)
    return undefined
  }

  function rememberHarmless(tree: Tree, sensitivity: Sensitivity): void {
    const [type] = Object.keys(tree)
    if (type !== undefined && readsAndWrites.has(type) && !definitions.any && !unsure.any)
      harmless.set(tree, sensitivity)
  }

  async function judge(
    statement: Statement,
    permit: Permit,
    session: SqlSession,
    changes: boolean,
  ): Promise<string | undefined> {
    const { masks } = permit
    const objection = masks.hasColumns ? await objectionTo(statement, masks, session) : undefined
    if (objection === undefined && changes) {
      unsure.note(statement.masking.tree, statement.command, await comesNear(statement, masks, session))
      if (unsure.any) catalog.expectChange()
    }
    return objection
  }

  return (statement, permit, session) => {
    const changes = statement.effects.some(({ type }) => type === 'ddl')
    if (!permit.masks.hasColumns && !changes) return undefined
    if (!changes && isHarmless(statement.masking.tree, permit.masks)) return undefined
    return judge(statement, permit, session, changes)
  }
}

/** Statements that define nothing: what speaks against them is told by the catalog and their own text. */
const readsAndWrites = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'])

const cannotTell = 'it may store masked values where they could not be recognised: it was not understood'
