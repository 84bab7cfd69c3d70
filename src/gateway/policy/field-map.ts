/**
 * A request's named values as conditions see them: from place to the list of its values. Places are found in any case of
 * letters, because many servers take `Amount` for `amount`. Where the values of a body are not known, asking for one is an
 * error and not a no: the condition then restricts, and does not allow. Pure.
 */
import { type Field, unknownName } from '../../contract/command.ts'

export type FieldMap = ReadonlyMap<string, readonly string[]>

export function fieldMap(fields: readonly Field[] = none): FieldMap {
  const before = made.get(fields)
  if (before !== undefined) return before
  const map = makeMap(fields)
  made.set(fields, map)
  return map
}

const none: readonly Field[] = []
/** A condition is asked once for each action and rule. */
const made = new WeakMap<readonly Field[], FieldMap>()

function makeMap(fields: readonly Field[]): FieldMap {
  const lists = new Map<string, string[]>()
  const known = new Map<string, string[]>()
  let isBodyUnknown = false
  for (const { at, value } of fields) {
    if (at.startsWith('body:') && at.endsWith(unknownName)) isBodyUnknown = true
    const folded = at.toLowerCase()
    const list = lists.get(folded) ?? []
    list.push(value)
    lists.set(folded, list)
    known.set(at, list)
  }
  // CEL looks at the constructor, so that a class of its own would not be taken for a map.
  return Object.defineProperties(known, {
    get: {
      value(place: unknown) {
        const folded = String(place).toLowerCase()
        if (isBodyUnknown && folded.startsWith('body:')) throw new Error('the values of the body are not known')
        return lists.get(folded)
      },
    },
    has: { value: (place: unknown) => lists.has(String(place).toLowerCase()) },
  })
}
