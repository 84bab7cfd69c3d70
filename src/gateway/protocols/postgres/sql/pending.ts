/**
 * What statements of the open transaction have made, or are about to: the catalog tells nobody else of it before COMMIT,
 * so a function that was replaced a moment ago would be judged by its old body. Errs towards remembering too much.
 */
import type { Name } from './nodes.ts'
import type { Creation, Reading } from './reading.ts'

export interface Pending {
  readonly isEmpty: boolean
  /** Anything at all may have been made. */
  readonly opaque: boolean
  /** Names without a schema may be found elsewhere than the catalog says. */
  readonly reshuffled: boolean
  /** Temporary objects may exist, in this transaction or since an earlier one. */
  readonly temporary: boolean
  add(reading: Reading): void
  /** Something ran of which nothing is known. */
  addUnknown(): void
  /** Everything made under this name; bodies are absent where they cannot be known. */
  find(type: Creation['type'], name: Name): readonly Creation[]
  hasOperator(name: string): boolean
  /** The transaction is over. */
  clear(): void
}

export function createPending(): Pending {
  let made: Creation[] = []
  let opaque = false
  let reshuffled = false
  let temporary = false
  return {
    get isEmpty() {
      return made.length === 0 && !opaque && !reshuffled
    },
    get opaque() {
      return opaque
    },
    get reshuffled() {
      return reshuffled
    },
    get temporary() {
      return temporary
    },
    add(reading) {
      made.push(...reading.creations)
      opaque ||= reading.opaque
      reshuffled ||= reading.reshuffles
      temporary ||= reading.temporary
    },
    addUnknown() {
      opaque = true
      reshuffled = true
      temporary = true
    },
    find: (type, { schema, name }) =>
      made.filter(
        (one) =>
          one.type === type &&
          one.name.name === name &&
          (schema === undefined || one.name.schema === undefined || one.name.schema === schema),
      ),
    hasOperator: (name) => made.some((one) => one.type === 'operator' && one.name.name === name),
    clear() {
      made = []
      opaque = false
      reshuffled = false
    },
  }
}
