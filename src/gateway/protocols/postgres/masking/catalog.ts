/**
 * The snapshot of a database that masks work from, shared by all conversations with it, and how it stays true:
 *
 * - DDL that passes through the door makes it stale at once (results.ts tells), and it is taken anew before the next
 *   statement is answered. DDL inside an open transaction cannot be seen from outside it: unsure.ts.
 * - A name or table OID that it does not hold makes it be taken anew, not more than once a second.
 * - DDL that somebody runs past the door is seen after `oldestMs` at the latest; while a transaction of any conversation
 *   is known to change the catalog, after `soonestMs`.
 * - A column keeps every name it was ever seen with. Whoever renames a masked column or its table thus unmasks nothing
 *   while the gateway runs; numbers (attnum) are never used twice, so nothing else can slip under an old mask.
 */
import type { ColumnName } from '../../../checkpoint.ts'
import { createParser, isError } from '../sql/parse.ts'
import type { Tree } from '../sql/statement.ts'
import { type Query, type Relation, type Snapshot, takeSnapshot } from './snapshot.ts'

export interface MaskCatalog {
  /** The present snapshot; taken first where there is none, or where it is stale. Rejects when the target cannot be asked. */
  current(query: Query): Promise<Known>
  /** What `current` would answer, where it need not ask. */
  present(): Known | undefined
  /** The latest snapshot, however old. */
  last(): Known | undefined
  /** Something was named that the snapshot `known` does not hold: a newer one, unless that was asked a moment ago. */
  renewed(query: Query, known: Known): Promise<Known>
  /** Names may mean something else from now on. */
  invalidate(): void
  /** A transaction that changes the catalog is under way, and nobody tells when it will be over. */
  expectChange(): void
  /** Reads definitions of views. */
  parser(): Promise<Parse>
}

export interface Known {
  readonly snapshot: Snapshot
  /** Rises with every snapshot that differs from the one before. */
  readonly generation: number
  /** Names that a column had in earlier snapshots. */
  formerNames(relation: number, column: number): readonly ColumnName[]
}

export interface MaskCatalogs {
  /** One for each database: `pg-prod/shop`. */
  of(place: string): MaskCatalog
}

/** The statements of a text; undefined when it does not parse. */
export type Parse = (sql: string) => readonly Tree[] | undefined

const oldestMs = 10_000
const soonestMs = 1000
/** For how long a change that was announced is watched for. */
const watchMs = 60_000

/** `elapsed`: milliseconds that never jump back. */
export function createMaskCatalogs(elapsed: () => number): MaskCatalogs {
  const catalogs = new Map<string, MaskCatalog>()
  const parser = createDefinitionParser()
  return {
    of(place) {
      const found = catalogs.get(place) ?? createMaskCatalog(elapsed, parser)
      catalogs.set(place, found)
      return found
    },
  }
}

function createMaskCatalog(elapsed: () => number, parser: MaskCatalog['parser']): MaskCatalog {
  const former = new Map<string, ColumnName[]>()
  let known: Known | undefined
  let takenAt = 0
  let stale = true
  let taking: Promise<Known> | undefined
  let generation = 0
  let watchUntil = Number.NEGATIVE_INFINITY

  async function take(query: Query): Promise<Known> {
    // What changes while it is being taken may be missing in it: it is stale again then.
    stale = false
    const startedAt = elapsed()
    try {
      const snapshot = await takeSnapshot(query, known?.snapshot)
      takenAt = startedAt
      if (known?.snapshot === snapshot) return known
      if (known !== undefined) rememberNames(former, known.snapshot, snapshot)
      generation++
      known = { snapshot, generation, formerNames: (relation, column) => former.get(`${relation}.${column}`) ?? [] }
      return known
    } catch (error) {
      stale = true
      throw error
    } finally {
      taking = undefined
    }
  }

  async function current(query: Query): Promise<Known> {
    // Somebody's snapshot that began before the latest change is not good enough: wait for it, then look again.
    while (taking !== undefined) {
      const started = taking
      if (!stale) return started
      await started.catch(() => undefined)
    }
    const good = present()
    if (good !== undefined) return good
    taking = take(query)
    return taking
  }

  function present(): Known | undefined {
    if (known === undefined || stale || taking !== undefined) return undefined
    const now = elapsed()
    return now - takenAt < (now < watchUntil ? soonestMs : oldestMs) ? known : undefined
  }

  return {
    parser,
    current,
    present,
    last: () => known,
    async renewed(query, old) {
      if (known !== undefined && known !== old && !stale) return known
      if (elapsed() - takenAt < soonestMs && !stale) return old
      stale = true
      return current(query)
    },
    invalidate() {
      stale = true
    },
    expectChange() {
      stale = true
      watchUntil = elapsed() + watchMs
    },
  }
}

/** Loads the parser when it is first needed, and keeps what it said: definitions are the same in most snapshots. */
function createDefinitionParser(): MaskCatalog['parser'] {
  const read = new Map<string, readonly Tree[] | undefined>()
  let loading: Promise<Parse> | undefined
  const load = async (): Promise<Parse> => {
    const { statements } = await createParser()
    return (sql) => {
      if (read.has(sql)) return read.get(sql)
      const parsed = statements(sql)
      const trees = isError(parsed) ? undefined : parsed.map(({ tree }) => tree)
      if (read.size > mostDefinitions) read.clear()
      read.set(sql, trees)
      return trees
    }
  }
  return () => {
    loading ??= load()
    return loading
  }
}

const mostDefinitions = 20_000

function rememberNames(former: Map<string, ColumnName[]>, before: Snapshot, now: Snapshot): void {
  for (const [oid, relation] of before.byOid) {
    if (relation.system) continue
    const successor = now.byOid.get(oid)
    if (successor === undefined) {
      for (const { number } of relation.columns) former.delete(`${oid}.${number}`)
      continue
    }
    const moved = successor.name !== relation.name || successor.schema !== relation.schema
    for (const column of relation.columns) {
      const same = successor.columns.find(({ number }) => number === column.number)
      if (same === undefined || (!moved && same.name === column.name)) continue
      const names = former.get(`${oid}.${column.number}`) ?? []
      names.push(nameOf(relation, column.name))
      former.set(`${oid}.${column.number}`, names)
    }
  }
}

export function nameOf({ schema, name }: Relation, column: string): ColumnName {
  return { schema, table: name, column }
}
