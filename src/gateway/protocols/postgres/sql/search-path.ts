/** Where names without a schema are looked for. */
import type { Surroundings } from './meanings.ts'

/** undefined: cannot be known, so a name may mean an object of any schema. */
export type SearchPath = readonly string[] | undefined

/** Of a value as SET and pg_settings have it: `"$user", public`. */
export function parseSearchPath(value: string, { schemas, user }: Surroundings): SearchPath {
  const parts: string[] = []
  const form = /\s*(?:"((?:[^"]|"")*)"|([^\s,"]+))\s*(,|$)/y
  while (form.lastIndex < value.length) {
    const match = form.exec(value)
    if (match === null) return undefined
    const [, quoted, plain] = match
    const part = quoted?.replaceAll('""', '"') ?? plain?.toLowerCase() ?? ''
    parts.push(part === '$user' ? user : part)
    if (match[3] === '') break
  }
  const existing = parts.filter((part) => schemas.has(part))
  // Searched first unless it is named.
  return existing.includes('pg_catalog') ? existing : ['pg_catalog', ...existing]
}

/** Where a new object without a schema goes. */
export function creationSchema(path: SearchPath): string | undefined {
  return path?.find((schema) => schema !== 'pg_catalog' && !schema.startsWith('pg_temp'))
}
