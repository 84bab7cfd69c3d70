/**
 * Functions whose answer may hold masked values although nothing masked is given to them: their bodies name a masked
 * table, a view or function that does, or run SQL that cannot be seen beforehand. By name, whatever the schema: which of
 * several functions a call means depends on search_path and types.
 */
import { harmlessExtensions, readsAnything } from './builtins.ts'
import type { Relation, Snapshot, UserFunction } from './snapshot.ts'

export interface Suspects {
  readonly functions: ReadonlySet<string>
  readonly operators: ReadonlySet<string>
  readonly types: ReadonlySet<string>
  mentioned(text: string): boolean
}

/** SQL put together at run time, names hidden behind escapes, or names that will mean something else afterwards. */
const hidden = /\bexecute\b|u&"|\b(?:create|alter|drop)\b/i
const words = /[\p{L}_][\p{L}\p{N}_$]*/gu

export function findSuspects(snapshot: Snapshot, isMasked: (relation: Relation) => boolean): Suspects {
  const bad = new Set<string>()
  for (const relation of snapshot.byOid.values()) if (isMasked(relation)) bad.add(relation.name.toLowerCase())
  const functions = new Set(readsAnything)
  for (const name of readsAnything) bad.add(name)

  const mentionsBad = (text: string): boolean => {
    for (const [word] of text.matchAll(words)) if (bad.has(word.toLowerCase())) return true
    return false
  }
  const mentioned = (text: string): boolean => hidden.test(text) || mentionsBad(text)

  let undecided = snapshot.functions.filter(({ extension }) => extension === null || !harmlessExtensions.has(extension))
  let views = [...snapshot.byOid.values()].filter(({ definition }) => definition !== null)
  // A function can be bad for calling a bad one, so this goes on until no more turn up.
  for (let found = true; found; ) {
    found = false
    undecided = undecided.filter((one) => {
      if (!isBad(one, mentionsBad)) return true
      functions.add(one.name)
      bad.add(one.name.toLowerCase())
      found = true
      return false
    })
    views = views.filter(({ name, definition }) => {
      if (definition !== '' && !mentionsBad(definition ?? '')) return true
      bad.add(name.toLowerCase())
      found = true
      return false
    })
  }
  return {
    functions,
    operators: new Set(snapshot.operators.filter((one) => functions.has(one.function)).map(({ name }) => name)),
    types: new Set(snapshot.casts.filter((one) => functions.has(one.function)).map(({ type }) => type)),
    mentioned,
  }
}

function isBad({ definition, language }: UserFunction, mentionsBad: (text: string) => boolean): boolean {
  if (definition === null) return true
  const body = language === 'sql' || language === 'plpgsql' ? bodyOf(definition) : definition
  return hidden.test(body) || mentionsBad(definition)
}

/** Without the CREATE FUNCTION that every definition starts with. */
function bodyOf(definition: string): string {
  return definition.replace(/^\s*CREATE OR REPLACE \w+/, '')
}
