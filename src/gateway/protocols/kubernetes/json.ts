/** JSON as values, and how to walk in them without trusting that they are what they should be. Pure. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [name: string]: Json
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What stands at the end of these names; undefined where there is nothing. */
export function at(value: Json | undefined, ...names: readonly string[]): Json | undefined {
  let found = value
  for (const name of names) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return undefined
    found = found[name]
  }
  return found
}

export function textAt(value: Json | undefined, ...names: readonly string[]): string | undefined {
  const found = at(value, ...names)
  return typeof found === 'string' ? found : undefined
}

export function listAt(value: Json | undefined, ...names: readonly string[]): readonly Json[] {
  const found = at(value, ...names)
  return Array.isArray(found) ? found : []
}

export interface Leaf {
  /** From the outermost in: names, and indexes in decimal. */
  readonly path: readonly string[]
  readonly value: null | boolean | number | string
}

/** Every value that holds no other, in their order. */
export function* leavesOf(value: Json, path: readonly string[] = []): Generator<Leaf> {
  if (typeof value !== 'object' || value === null) yield { path, value }
  else for (const [step, inner] of Object.entries(value)) yield* leavesOf(inner, [...path, step])
}

/** The same, with every member or element replaced by what `change` makes of it; undefined: it stays and is gone through. */
export function changed(
  value: Json,
  change: (path: readonly string[], value: Json) => Json | undefined,
  path: readonly string[] = [],
): Json {
  const instead = path.length === 0 ? undefined : change(path, value)
  if (instead !== undefined) return instead
  if (Array.isArray(value)) return value.map((inner: Json, index) => changed(inner, change, [...path, String(index)]))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, changed(inner, change, [...path, name])]),
  )
}
