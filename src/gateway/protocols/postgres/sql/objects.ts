/** What DDL speaks of: verbs out of the grammar's object types, and the objects' names. */
import { fieldsOf, isFields, list, type Name, nameOf, relationOf, stringOf, text, unwrap } from './nodes.ts'

export interface Objects {
  readonly relations: readonly Name[]
  readonly objects: readonly string[]
}

const words: Readonly<Record<string, string>> = {
  MATVIEW: 'MATERIALIZED VIEW',
  FOREIGN_SERVER: 'SERVER',
  FDW: 'FOREIGN DATA WRAPPER',
  TABCONSTRAINT: 'CONSTRAINT',
  DOMCONSTRAINT: 'CONSTRAINT',
  OPCLASS: 'OPERATOR CLASS',
  OPFAMILY: 'OPERATOR FAMILY',
  STATISTIC_EXT: 'STATISTICS',
  TSCONFIGURATION: 'TEXT SEARCH CONFIGURATION',
  TSDICTIONARY: 'TEXT SEARCH DICTIONARY',
  TSPARSER: 'TEXT SEARCH PARSER',
  TSTEMPLATE: 'TEXT SEARCH TEMPLATE',
  LARGEOBJECT: 'LARGE OBJECT',
}

/** `OBJECT_FOREIGN_TABLE` → `FOREIGN TABLE`. */
export function objectWords(type: unknown): string {
  const name = String(type).replace(/^OBJECT_/, '')
  return words[name] ?? name.replaceAll('_', ' ')
}

const relationTypes = /^OBJECT_(TABLE|VIEW|MATVIEW|INDEX|SEQUENCE|FOREIGN_TABLE)$/
/** Named by their table and then their own name. */
const ofRelationTypes = /^OBJECT_(TRIGGER|RULE|POLICY|COLUMN|TABCONSTRAINT)$/
/** Whoever may change these reaches beyond the data. */
const adminTypes =
  /^OBJECT_(ACCESS_METHOD|DATABASE|EVENT_TRIGGER|EXTENSION|FDW|FOREIGN_SERVER|LANGUAGE|PARAMETER_ACL|PUBLICATION|ROLE|SUBSCRIPTION|TABLESPACE|TRANSFORM|USER_MAPPING|CONVERSION|LARGEOBJECT)/

export function isAdminType(type: unknown): boolean {
  return adminTypes.test(String(type))
}

/** Of one object as DROP, COMMENT or RENAME have it. */
export function objectsOf(type: unknown, values: readonly unknown[]): Objects {
  const relations: Name[] = []
  const objects: string[] = []
  for (const value of values) {
    if (relationTypes.test(String(type))) push(relations, nameOf(value) ?? relationOf(unwrap(value)?.fields))
    else if (ofRelationTypes.test(String(type))) push(relations, nameOf(list(value).slice(0, -1)))
    else if (type === 'OBJECT_SCHEMA') objects.push(`${stringOf(value) ?? display(nameOf(value))}.*`)
    else objects.push(anyName(value))
  }
  return { relations, objects: objects.filter((name) => name !== '') }
}

export function display(name: Name | undefined): string {
  if (name === undefined) return ''
  return name.schema === undefined ? name.name : `${name.schema}.${name.name}`
}

/** Function names of DROP FUNCTION and its like. */
export function functionName(value: unknown): Name | undefined {
  return nameOf(fieldsOf(value, 'ObjectWithArgs')?.objname) ?? nameOf(value)
}

export function anyName(value: unknown): string {
  const node = unwrap(value)
  if (node?.type === 'String') return stringOf(value) ?? ''
  if (node?.type === 'TypeName') return display(nameOf(node.fields.names))
  if (node?.type === 'RoleSpec') return text(node.fields.rolename) ?? String(node.fields.roletype ?? '')
  if (node?.type === 'RangeVar') return display(relationOf(node.fields))
  return display(functionName(value))
}

export function relations(values: unknown): readonly Name[] {
  const found: Name[] = []
  for (const value of list(values)) push(found, relationOf(unwrap(value)?.fields))
  return found
}

export function relation(value: unknown): readonly Name[] {
  const name = isFields(value) ? relationOf(value) : undefined
  return name === undefined ? [] : [name]
}

function push<T>(to: T[], value: T | undefined): void {
  if (value !== undefined) to.push(value)
}
