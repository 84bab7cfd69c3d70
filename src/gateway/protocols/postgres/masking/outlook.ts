/**
 * What masks mean for one conversation at this moment: what its database holds, less what its own open transaction may
 * have changed. Work that was done for a statement is kept with its tree for as long as it holds.
 */
import type { Masks } from '../../../checkpoint.ts'
import type { OpenSideConnection, SqlSession, Statement } from '../parts.ts'
import { unwrap } from '../sql/nodes.ts'
import type { Tree } from '../sql/statement.ts'
import { type Analysis, analyse, everythingMasked, unknownRelations } from './analysis.ts'
import type { MaskCatalog } from './catalog.ts'
import { createDefinitions, type Definitions } from './definitions.ts'
import { derived, type Ground, type Output, strictestOf } from './ground.ts'
import type { Sensitivities } from './sensitivities.ts'
import type { Sensitivity } from './sensitivity.ts'
import { createUnsure, type Unsure } from './unsure.ts'

/** What all conversations with one database share. */
export interface Database {
  readonly catalog: MaskCatalog
  readonly sensitivities: Sensitivities
}

export interface Outlook {
  readonly unsure: Unsure
  readonly definitions: Definitions
  /** A function that nobody can follow is called: it may open cursors, or prepare statements, of any name. */
  distrustNames(): void
  /** undefined: nobody can be asked, so everything is masked. */
  sensitivityOf(masks: Masks, tree: Tree | undefined): Promise<Sensitivity | undefined>
  /** What `sensitivityOf` would answer, where nobody has to be asked for it and nothing is under way. */
  present(masks: Masks): Sensitivity | undefined
  /** Of the present snapshot, if nothing is under way. */
  readonly generation: number | undefined
  /** Every name in it is in the snapshot of this generation. */
  knowsNames(tree: Tree, generation: number): boolean
  groundFor(sensitivity: Sensitivity, session: SqlSession): Ground
  analysisOf(statement: Statement, sensitivity: Sensitivity | undefined, session: SqlSession): Analysis
  /** What it means depends on nothing but its text, masks and the snapshot. */
  isLasting(tree: Tree): boolean
  /** To be called before anything is asked: what has become certain by now counts as that. */
  becomeSure(session: SqlSession): void
}

export function createOutlook(open: OpenSideConnection, { catalog, sensitivities }: Database): Outlook {
  const unsure = createUnsure()
  const definitions = createDefinitions()
  let foreignNames = false
  const analyses = new WeakMap<Tree, { readonly sensitivity: Sensitivity; readonly analysis: Analysis }>()
  /** Statements all of whose names are in the snapshot of this generation. */
  const named = new WeakMap<Tree, number>()

  async function sensitivityOf(masks: Masks, tree: Tree | undefined): Promise<Sensitivity | undefined> {
    try {
      const query = async (sql: string) => (await open()).query(sql)
      // What this transaction changes it also locks, and nobody outside sees it: a newer snapshot would wait in vain.
      const before = unsure.any ? catalog.last() : undefined
      if (before !== undefined) return await sensitivities.of(masks, before)
      let known = await catalog.current(query)
      let sensitivity = await sensitivities.of(masks, known)
      if (namesUnknown(tree, sensitivity, known.generation)) {
        known = await catalog.renewed(query, known)
        sensitivity = await sensitivities.of(masks, known)
      }
      return sensitivity
    } catch {
      // Fail closed: what cannot be looked up is masked. The next statement asks again.
      return undefined
    }
  }

  function namesUnknown(tree: Tree | undefined, sensitivity: Sensitivity, generation: number): boolean {
    if (tree === undefined || named.get(tree) === generation) return false
    if (unknownRelations(tree, sensitivity)) return true
    named.set(tree, generation)
    return false
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
    const lasting = isLasting(tree)
    const kept = lasting ? analyses.get(tree) : undefined
    if (kept?.sensitivity === sensitivity) return kept.analysis
    const analysis = analyse(tree, groundFor(sensitivity, session))
    if (lasting) analyses.set(tree, { sensitivity, analysis })
    return analysis
  }

  /** What EXECUTE and FETCH show depends on the session, not on their text. */
  function isLasting(tree: Tree): boolean {
    return !unsure.any && !('ExecuteStmt' in tree) && !('FetchStmt' in tree)
  }

  /** All that was under way is answered, and no transaction is open: what it has changed can be seen by now. */
  function becomeSure(session: SqlSession): void {
    if (!unsure.any || !session.certain || session.transaction !== 'I') return
    unsure.forget()
    definitions.forget()
    catalog.invalidate()
  }

  return {
    unsure,
    definitions,
    distrustNames() {
      foreignNames = true
    },
    sensitivityOf,
    present: (masks) => (unsure.any ? undefined : sensitivities.found(masks, catalog.present())),
    get generation() {
      return unsure.any ? undefined : catalog.present()?.generation
    },
    knowsNames: (tree, generation) => named.get(tree) === generation,
    groundFor,
    analysisOf,
    isLasting,
    becomeSure,
  }
}

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
