/**
 * Looking into parse trees without trusting their shape. A tree is JSON: a node is wrapped in its type's name
 * (`{ FuncCall: { … } }`) except where the grammar allows one type only (`InsertStmt.relation` is a bare RangeVar).
 */

export type Fields = Readonly<Record<string, unknown>>

/** A name as written; schema absent when it was not qualified. */
export interface Name {
  readonly schema?: string | undefined
  readonly name: string
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Type and fields of a wrapped node. */
export function unwrap(value: unknown): { readonly type: string; readonly fields: Fields } | undefined {
  if (!isFields(value)) return undefined
  const keys = Object.keys(value)
  const [type] = keys
  if (type === undefined || keys.length !== 1 || !/^[A-Z]/.test(type)) return undefined
  const fields = value[type]
  return isFields(fields) ? { type, fields } : undefined
}

/** The fields of a node that is of this type, wrapped or (with `bare`) known to be one. */
export function fieldsOf(value: unknown, type: string): Fields | undefined {
  const node = unwrap(value)
  return node?.type === type ? node.fields : undefined
}

export function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  const inner = fieldsOf(value, 'List')
  return inner === undefined ? [] : list(inner.items)
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The value of a `String` node. */
export function stringOf(value: unknown): string | undefined {
  const fields = fieldsOf(value, 'String')
  return fields === undefined ? undefined : (text(fields.sval) ?? '')
}

/** `a.b.c` as a list of String nodes → its last two parts. */
export function nameOf(value: unknown): Name | undefined {
  const parts = list(value).map(stringOf)
  const name = parts.at(-1)
  if (name === undefined) return undefined
  return parts.length > 1 ? { schema: parts.at(-2), name } : { name }
}

/** Of a RangeVar's fields. Temporary relations live in pg_temp, wherever that is. */
export function relationOf(fields: unknown): Name | undefined {
  if (!isFields(fields)) return undefined
  const name = text(fields.relname)
  if (name === undefined) return undefined
  return { schema: text(fields.schemaname) ?? (fields.relpersistence === 't' ? 'pg_temp' : undefined), name }
}

/** A string constant, also one that is cast to a text type; undefined for everything that has to be computed. */
export function literalOf(value: unknown): string | undefined {
  const constant = fieldsOf(value, 'A_Const')
  if (constant !== undefined) {
    const { sval } = constant
    return isFields(sval) ? (text(sval.sval) ?? '') : undefined
  }
  const cast = fieldsOf(value, 'TypeCast')
  if (cast === undefined || !isFields(cast.typeName)) return undefined
  const type = nameOf(cast.typeName.names)
  const plain =
    type !== undefined && ['text', 'varchar'].includes(type.name) && (type.schema ?? 'pg_catalog') === 'pg_catalog'
  return plain && cast.typeName.typmods === undefined ? literalOf(cast.arg) : undefined
}

/** `name = value` options (DefElem), by name; later ones are kept beside earlier ones. */
export function options(value: unknown): readonly { readonly name: string; readonly value: unknown }[] {
  return list(value).flatMap((item) => {
    const fields = fieldsOf(item, 'DefElem')
    const name = text(fields?.defname)
    return fields === undefined || name === undefined ? [] : [{ name, value: fields.arg }]
  })
}

/** An option's value as text: `on`, `42`, `off`. */
export function optionText(value: unknown): string | undefined {
  const node = unwrap(value)
  if (node === undefined) return undefined
  if (node.type === 'String') return stringOf(value)
  if (node.type === 'Integer') return String(node.fields.ival ?? 0)
  if (node.type === 'Boolean') return node.fields.boolval === true ? 'true' : 'false'
  if (node.type === 'Float') return text(node.fields.fval)
  if (node.type === 'TypeName') return nameOf(node.fields.names)?.name
  if (node.type === 'A_Const') return constantText(node.fields)
  return undefined
}

/** A constant as text, whatever its type. */
function constantText(fields: Fields): string | undefined {
  if (isFields(fields.sval)) return text(fields.sval.sval) ?? ''
  if (isFields(fields.ival)) return String(fields.ival.ival ?? 0)
  if (isFields(fields.fval)) return text(fields.fval.fval)
  if (isFields(fields.boolval)) return fields.boolval.boolval === true ? 'true' : 'false'
  return undefined
}

export function isTrue(value: string | undefined): boolean {
  return (
    value === undefined ||
    !['off', 'false', 'no', '0', 'f', 'n', 'of', 'fa', 'fal', 'fals'].includes(value.toLowerCase())
  )
}
