/** RowDescription, read. */
import { View } from '../messages.ts'

export interface FieldDescription {
  readonly name: string
  /** The table or view that the value comes from, unchanged; 0: it was computed. */
  readonly relation: number
  readonly column: number
  readonly type: number
  readonly binary: boolean
}

export function readDescription(frame: Buffer): readonly FieldDescription[] {
  const view = new View(frame)
  const fields: FieldDescription[] = []
  for (let count = view.uint16(); count > 0; count--) {
    const name = view.cstring().toString('utf8')
    const relation = view.uint32()
    const column = view.int16()
    const type = view.uint32()
    view.take(6)
    fields.push({ name, relation, column, type, binary: view.int16() === 1 })
  }
  view.end()
  return fields
}
