/** Named values of the request line: those of its query, and those of its path as templates name them. Pure. */
import type { PathTemplate } from '../../../../base/path-template.ts'
import { pairsOf } from '../../../../base/urlencoded.ts'
import type { Field } from '../../../../contract/command.ts'

/** What stands behind the question mark. A name that is given twice is there twice. */
export function queryFields(query: string): readonly Field[] {
  if (query === '') return none
  // Some servers take `;` for `&`.
  const pairs = query.includes(';') ? [...pairsOf(query), ...pairsOf(query, '&;')] : pairsOf(query)
  return pairs.map(({ name, value }) => ({ at: `query:${name}`, value }))
}

/** Of each reading of the path the first template that fits: its text, and what its names stand for. */
export function pathFields(readings: readonly string[], templates: readonly PathTemplate[]): readonly Field[] {
  if (templates.length === 0) return none
  const fields = new Map<string, Field>()
  const add = (at: string, value: string) => fields.set(`${at}=${value}`, { at, value })
  for (const reading of readings)
    for (const { text, read } of templates) {
      const found = read(reading)
      if (found === undefined) continue
      add('template', text)
      for (const [name, value] of found) add(`path:${name}`, value)
      break
    }
  return [...fields.values()]
}

const none: readonly Field[] = []
