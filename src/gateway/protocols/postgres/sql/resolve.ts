/**
 * What a statement does once its names are looked up: objects with their schema, and what is behind the names, as deep as
 * it goes: function bodies, operators, views, rules, triggers. What cannot be found out has the worst class.
 */
import type { CatalogAnswer, CatalogNames } from './meanings.ts'
import { createOutcome, plainly, type Resolved, unknown } from './outcome.ts'
import type { Reading } from './reading.ts'
import { Step } from './step.ts'
import type { Item, World } from './world.ts'

/** More rounds or actions than anything honest needs: the rest is not looked at, and so is anything. */
const mostRounds = 24
const mostActions = 400

export async function resolve(reading: Reading, world: World): Promise<Resolved> {
  const out = createOutcome()
  let items: Item[] = [{ reading, quiet: false }]
  let oids: number[] = []
  const done = new Set<number>()
  const seen = new Set<unknown>()
  try {
    for (let round = 0; items.length > 0 || oids.length > 0; round += 1) {
      if (round === mostRounds || out.actions.length > mostActions) {
        unknown(out, 'too much to look at')
        break
      }
      const names = namesOf(items, oids, world)
      const answer = isNothing(names) ? nothing : await world.catalog.lookup(names)
      const next = new Step(out, world, answer, done, seen)
      for (const item of items) next.take(item)
      for (const oid of oids) next.takeOid(oid)
      items = next.items
      oids = [...new Set(next.oids)].filter((oid) => !done.has(oid))
    }
  } catch {
    // Fail closed: the target's catalog could not be asked, so nothing is known of what the names mean.
    for (const { reading } of items) for (const action of reading.actions) out.add(plainly(action))
    unknown(out, 'what it calls')
  }
  return out.resolved()
}

function isNothing(names: CatalogNames): boolean {
  return Object.values(names).every((list) => list.length === 0)
}

const nothing: CatalogAnswer = {
  relations: [],
  functions: [],
  operators: new Map(),
  types: new Map(),
  surroundings: { searchPath: [], schemas: new Set(), user: '', casts: [] },
}

function namesOf(items: readonly Item[], functionOids: readonly number[], world: World): CatalogNames {
  const relations: string[] = []
  const functions: string[] = []
  const operators: string[] = []
  const types: string[] = []
  for (const { reading } of items) {
    for (const { name } of reading.reads) relations.push(name)
    for (const action of reading.actions) for (const { name } of action.relations ?? []) relations.push(name)
    for (const call of reading.calls) {
      if (call.before !== undefined && world.serverVersion >= call.before) continue
      functions.push(call.name.name)
      if (!call.asColumn) types.push(call.name.name)
    }
    operators.push(...reading.operators)
    for (const { name } of reading.types) types.push(name)
  }
  const oids = [...functionOids, ...items.flatMap(({ reading }) => reading.functionOids)]
  return { relations, functions, functionOids: oids, operators, types }
}
