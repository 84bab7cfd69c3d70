/**
 * Functions whose answer may hold masked values although nothing masked is given to them: their bodies name a masked
 * table, a view or function that does, or run SQL that cannot be seen beforehand. And functions that may keep what they
 * are given where anybody finds it. By name, whatever the schema: which of several functions a call means depends on
 * search_path and types.
 */
import { harmlessExtensions, readsAnything } from './builtins.ts'
import { createMentions } from './mentions.ts'
import type { Relation, Snapshot, UserFunction } from './snapshot.ts'
import { storesText } from './stored-by.ts'

export interface Suspects {
  readonly functions: ReadonlySet<string>
  readonly operators: ReadonlySet<string>
  readonly types: ReadonlySet<string>
  /** Types of which a suspect cast makes something else, unasked: a column of one is like a call of that function. */
  readonly sources: ReadonlySet<number>
  readonly storing: Storing
  mentioned(text: string): boolean
  /** A definition that reads masked tables names this: whatever is of that name runs there. */
  isUsedNear(name: string): boolean
  isFunction(name: string): boolean
}

/** What may store values it is given, by name. */
export interface Storing {
  readonly functions: ReadonlySet<string>
  readonly operators: ReadonlySet<string>
  readonly types: ReadonlySet<string>
  /** The text of a function that would be one. */
  wouldStore(text: string): boolean
  /** One of them names this. */
  isUsed(name: string): boolean
}

/** SQL put together at run time, names hidden behind escapes, or names that will mean something else afterwards. */
const hidden = /\bexecute\b|u&"|\b(?:create|alter|drop)\b/i

export function findSuspects(
  snapshot: Snapshot,
  isMasked: (relation: Relation) => boolean,
  maskedColumns: ReadonlySet<string>,
): Suspects {
  const bad = createMentions(readsAnything)
  for (const relation of snapshot.byOid.values()) if (isMasked(relation)) bad.add(relation.name)
  const functions = new Set(readsAnything)
  const used: string[] = []
  const mentioned = (text: string): boolean => hidden.test(text) || bad.mentionedIn(text)

  const open = snapshot.functions.filter(({ extension }) => extension === null || !harmlessExtensions.has(extension))
  let undecided = open
  let views = [...snapshot.byOid.values()].filter(({ definition }) => definition !== null)
  let casts = snapshot.casts
  // A function can be bad for calling a bad one, so this goes on until no more turn up.
  for (let found = true; found; ) {
    found = false
    undecided = undecided.filter((one) => {
      if (!isBad(one, bad.mentionedIn)) return true
      functions.add(one.name)
      bad.add(one.name)
      if (one.definition !== null) used.push(one.definition)
      found = true
      return false
    })
    views = views.filter(({ name, definition }) => {
      if (definition !== '' && !bad.mentionedIn(definition ?? '')) return true
      bad.add(name)
      used.push(definition ?? '')
      found = true
      return false
    })
    casts = casts.filter(({ function: behind, source }) => {
      if (!functions.has(behind)) return true
      // What gives a value of this type gives what the cast makes of it.
      if (source.userType) bad.add(source.name)
      found = true
      return false
    })
  }
  const badCasts = snapshot.casts.filter((one) => functions.has(one.function))
  return {
    functions,
    operators: new Set(snapshot.operators.filter((one) => functions.has(one.function)).map(({ name }) => name)),
    // Where the type that is cast is a user's, what is of that type is masked already; its name stands for arrays of it too.
    types: new Set(
      badCasts.flatMap(({ type, source }) => (source.userType ? [source.name, `_${source.name}`] : [type])),
    ),
    sources: new Set(badCasts.flatMap(({ source }) => (source.userType ? [source.oid] : []))),
    storing: findStoring(snapshot, open, maskedColumns),
    mentioned,
    isUsedNear: (name) => names(name, used),
    isFunction: (name) => snapshot.functions.some((one) => one.name === name),
  }
}

function findStoring(snapshot: Snapshot, open: readonly UserFunction[], maskedColumns: ReadonlySet<string>): Storing {
  const functions = new Set<string>()
  const calls = createMentions([])
  const used: string[] = []
  let undecided = open
  for (let found = true; found; ) {
    found = false
    undecided = undecided.filter(({ name, definition }) => {
      const stores =
        definition === null || storesText(definition, maskedColumns) || calls.mentionedIn(bodyOf(definition))
      if (!stores) return true
      functions.add(name)
      calls.add(name)
      if (definition !== null) used.push(definition)
      found = true
      return false
    })
  }
  return {
    functions,
    operators: new Set(snapshot.operators.filter((one) => functions.has(one.function)).map(({ name }) => name)),
    types: new Set(snapshot.casts.filter((one) => functions.has(one.function)).map(({ type }) => type)),
    wouldStore: (text) => storesText(text, maskedColumns) || calls.mentionedIn(text),
    isUsed: (name) => names(name, used),
  }
}

function names(name: string, texts: readonly string[]): boolean {
  const { mentionedIn } = createMentions([name])
  return texts.some(mentionedIn)
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
