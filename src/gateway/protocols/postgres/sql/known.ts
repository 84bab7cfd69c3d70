/** What has been learnt of the catalog so far, by name. A name that was asked for and is not there is learnt too. */
import type { CatalogAnswer, CatalogNames, FunctionFacts, RelationFacts, Surroundings } from './meanings.ts'

export interface Known {
  readonly count: number
  /** What has to be asked; undefined when all is known. */
  missing(names: CatalogNames): Required<CatalogNames> | undefined
  add(asked: Required<CatalogNames>, answer: CatalogAnswer): void
  answer(names: CatalogNames): CatalogAnswer
}

export function createKnown(): Known {
  const relations = new Map<string, RelationFacts[]>()
  const functions = new Map<string, FunctionFacts[]>()
  const byOid = new Map<number, FunctionFacts | undefined>()
  const operators = new Map<string, readonly number[]>()
  const types = new Map<string, readonly number[] | undefined>()
  let surroundings: Surroundings | undefined

  const without = <T>(wanted: readonly T[] | undefined, has: ReadonlyMap<T, unknown>): readonly T[] =>
    wanted === undefined ? [] : [...new Set(wanted)].filter((name) => !has.has(name))

  return {
    get count() {
      return relations.size + functions.size + byOid.size + operators.size + types.size
    },
    missing(names) {
      const missing = {
        relations: without(names.relations, relations),
        functions: without(names.functions, functions),
        functionOids: without(names.functionOids, byOid),
        operators: without(names.operators, operators),
        types: without(names.types, types),
      }
      const isComplete = surroundings !== undefined && Object.values(missing).every((list) => list.length === 0)
      return isComplete ? undefined : missing
    },
    add(asked, answer) {
      surroundings = answer.surroundings
      for (const name of asked.relations) relations.set(name, [])
      for (const relation of answer.relations) relations.get(relation.name)?.push(relation)
      for (const name of asked.functions) functions.set(name, [])
      for (const oid of asked.functionOids) byOid.set(oid, undefined)
      for (const found of answer.functions) {
        // One that was asked for by OID alone says nothing of others that have its name.
        if (asked.functions.includes(found.name)) functions.get(found.name)?.push(found)
        if (asked.functionOids.includes(found.oid)) byOid.set(found.oid, found)
      }
      for (const name of asked.operators) operators.set(name, answer.operators.get(name) ?? [])
      for (const name of asked.types) types.set(name, answer.types.get(name))
    },
    answer(names) {
      if (surroundings === undefined) throw new Error('asked before anything is known')
      const found = new Map<number, FunctionFacts>()
      for (const name of names.functions ?? []) for (const one of functions.get(name) ?? []) found.set(one.oid, one)
      for (const oid of names.functionOids ?? []) {
        const one = byOid.get(oid)
        if (one !== undefined) found.set(oid, one)
      }
      return {
        relations: [...new Set(names.relations ?? [])].flatMap((name) => relations.get(name) ?? []),
        functions: [...found.values()],
        operators: pick(names.operators, operators),
        types: pick(names.types, types),
        surroundings,
      }
    },
  }
}

function pick(
  names: readonly string[] | undefined,
  from: ReadonlyMap<string, readonly number[] | undefined>,
): ReadonlyMap<string, readonly number[]> {
  const picked = new Map<string, readonly number[]>()
  for (const name of names ?? []) {
    const found = from.get(name)
    if (found !== undefined) picked.set(name, found)
  }
  return picked
}
