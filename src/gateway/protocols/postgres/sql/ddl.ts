/** Statements that define things: verb, kind, objects. What they evaluate on the way (defaults, index expressions) is walked. */
import type { Kind } from '../../../../contract/command.ts'
import { admin, administration, type Make, only } from './administration.ts'
import { type Fields, fieldsOf, isFields, list, type Name, nameOf, options, relationOf, text } from './nodes.ts'
import {
  anyName,
  display,
  functionName,
  isAdminType,
  type Objects,
  objectsOf,
  objectWords,
  relation,
  relations,
} from './objects.ts'
import { createReading, type Reading } from './reading.ts'

const about = (names: readonly (Name | undefined)[]): Objects => ({
  relations: names.flatMap((name) => (name === undefined ? [] : [name])),
  objects: [],
})

function define(verb: string, objects: (fields: Fields) => Objects, kind: Kind = 'ddl'): Make {
  return (fields) => ({ verb, kind, ...objects(fields) })
}

/** Of an object type that decides between the data's definition and what reaches beyond it. */
function typed(verb: string, type: string, objects: (fields: Fields) => readonly unknown[]): Make {
  return (fields) => ({
    verb: `${verb} ${objectWords(fields[type])}`,
    kind: isAdminType(fields[type]) ? 'admin' : 'ddl',
    ...objectsOf(fields[type], objects(fields)),
  })
}

/** RENAME and SET SCHEMA name a relation in one field and everything else in another. */
function moved(type: string): Make {
  return (fields, out) => {
    out.reshuffles = true
    remember(fields, type, out)
    const found =
      fields.relation === undefined ? objectsOf(fields[type], [fields.object]) : about(relation(fields.relation))
    const kind = isAdminType(fields[type]) ? 'admin' : 'ddl'
    const named = text(fields.subname)
    const objects = fields[type] === 'OBJECT_SCHEMA' && named !== undefined ? only([`${named}.*`]) : found
    return { verb: `ALTER ${objectWords(fields[type])}`, kind, ...objects }
  }
}

/** A name that means something else from now on, and only to this transaction. */
function remember(fields: Fields, type: string, out: Reading): void {
  const kind = String(fields[type])
  const old = nameOf(fields.object) ?? functionName(fields.object) ?? relation(fields.relation)[0]
  const name = fields.newname === undefined ? old : { name: text(fields.newname) ?? '' }
  if (name === undefined) return
  if (/FUNCTION|PROCEDURE|ROUTINE|AGGREGATE/.test(kind)) out.creations.push({ type: 'function', name })
  else if (/OPERATOR/.test(kind)) out.creations.push({ type: 'operator', name })
  else if (/TYPE|DOMAIN/.test(kind)) out.creations.push({ type: 'type', name })
  else if (fields.relation !== undefined) out.creations.push({ type: 'relation', name })
}

function created(out: Reading, type: 'relation' | 'type' | 'operator', name: Name | undefined): void {
  if (name === undefined) return
  out.creations.push({ type, name })
  if (name.schema === 'pg_temp') out.temporary = true
}

function createRelation(verb: string, field: string): Make {
  return (fields, out) => {
    const holder = isFields(fields[field]) ? fields[field] : {}
    const name = relationOf(holder.relname === undefined ? holder.rel : holder)
    created(out, 'relation', name)
    return { verb, kind: 'ddl', ...about([name]) }
  }
}

function createType(verb: string, field: string): Make {
  return (fields, out) => {
    const name = isFields(fields[field]) ? relationOf(fields[field]) : nameOf(fields[field])
    created(out, 'type', name)
    return { verb, kind: 'ddl', ...only([display(name)]) }
  }
}

const tableOf = (fields: Fields): Objects => about(relation(fields.relation))

export const ddl: Readonly<Record<string, Make>> = {
  CreateStmt: createRelation('CREATE TABLE', 'relation'),
  CreateTableAsStmt: (fields, out) => {
    const what = fields.objtype === 'OBJECT_MATVIEW' ? 'CREATE MATERIALIZED VIEW' : 'CREATE TABLE AS'
    return createRelation(what, 'into')(fields, out)
  },
  CreateForeignTableStmt: (fields, out) => {
    out.reaches.add('network')
    for (const { name } of options(fields.options)) {
      if (name === 'program') out.reaches.add('program')
      if (name === 'filename') out.reaches.add('file')
    }
    const base = isFields(fields.base) ? fields.base : (fieldsOf(fields.base, 'CreateStmt') ?? {})
    const made = createRelation('CREATE FOREIGN TABLE', 'relation')(base, out)
    return { ...made, kind: 'admin' }
  },
  CreateSeqStmt: createRelation('CREATE SEQUENCE', 'sequence'),
  AlterSeqStmt: define('ALTER SEQUENCE', (fields) => about(relation(fields.sequence))),
  IndexStmt: define('CREATE INDEX', tableOf),
  CreateStatsStmt: define('CREATE STATISTICS', (fields) => about(relations(fields.relations))),
  AlterStatsStmt: define('ALTER STATISTICS', (fields) => only([display(nameOf(fields.defnames))])),
  AlterTableStmt: (fields, out) => {
    const [table] = relation(fields.relation)
    const enables = list(fields.cmds).some((item) =>
      /^AT_Enable/.test(String(fieldsOf(item, 'AlterTableCmd')?.subtype)),
    )
    if (enables && table !== undefined) out.creations.push({ type: 'trigger', name: table })
    const foreign = fields.objtype === 'OBJECT_FOREIGN_TABLE'
    if (foreign) out.reaches.add('network')
    return { verb: `ALTER ${objectWords(fields.objtype)}`, kind: foreign ? 'admin' : 'ddl', ...tableOf(fields) }
  },
  TruncateStmt: (fields) => ({
    verb: 'TRUNCATE TABLE',
    kind: 'ddl',
    relations: relations(fields.relations),
    unbounded: true,
    events: ['TRUNCATE'],
  }),
  DropStmt: (fields, out) => {
    out.reshuffles = true
    return typed('DROP', 'removeType', (inner) => list(inner.objects))(fields, out)
  },
  RenameStmt: moved('renameType'),
  AlterObjectSchemaStmt: moved('objectType'),
  AlterOwnerStmt: moved('objectType'),
  AlterObjectDependsStmt: moved('objectType'),
  CommentStmt: typed('COMMENT ON', 'objtype', (fields) => [fields.object]),
  SecLabelStmt: admin('SECURITY LABEL', 'provider'),
  CreateSchemaStmt: (fields, out) => {
    out.reshuffles = true
    return { verb: 'CREATE SCHEMA', kind: 'ddl', objects: [`${text(fields.schemaname) ?? anyName(fields.authrole)}.*`] }
  },
  RefreshMatViewStmt: (fields, out) => {
    out.reads.push(...relation(fields.relation))
    return { verb: 'REFRESH MATERIALIZED VIEW', kind: 'write', ...tableOf(fields) }
  },
  ReindexStmt: (fields) => ({
    verb: 'REINDEX',
    kind: 'ddl',
    ...about(relation(fields.relation)),
    objects: only([text(fields.name)]).objects,
  }),
  ClusterStmt: define('CLUSTER', tableOf),
  VacuumStmt: (fields) => {
    const tables = list(fields.rels).flatMap((item) => relation(fieldsOf(item, 'VacuumRelation')?.relation))
    // VACUUM FULL rewrites tables under the strongest lock; ANALYZE only measures.
    const isVacuum = fields.is_vacuumcmd === true
    return { verb: isVacuum ? 'VACUUM' : 'ANALYZE', kind: isVacuum ? 'ddl' : 'write', relations: tables }
  },
  CreatePolicyStmt: define('CREATE POLICY', (fields) => about(relation(fields.table))),
  AlterPolicyStmt: define('ALTER POLICY', (fields) => about(relation(fields.table))),
  DefineStmt: (fields, out) => {
    const name = nameOf(fields.defnames)
    if (name !== undefined) {
      if (fields.kind === 'OBJECT_OPERATOR') out.creations.push({ type: 'operator', name })
      else if (fields.kind === 'OBJECT_AGGREGATE') out.creations.push({ type: 'function', name })
      else created(out, 'type', name)
    }
    return { verb: `CREATE ${objectWords(fields.kind)}`, kind: 'ddl', ...only([display(name)]) }
  },
  CompositeTypeStmt: createType('CREATE TYPE', 'typevar'),
  CreateEnumStmt: createType('CREATE TYPE', 'typeName'),
  CreateRangeStmt: createType('CREATE TYPE', 'typeName'),
  CreateDomainStmt: createType('CREATE DOMAIN', 'domainname'),
  AlterEnumStmt: define('ALTER TYPE', (fields) => only([display(nameOf(fields.typeName))])),
  AlterTypeStmt: createType('ALTER TYPE', 'typeName'),
  AlterDomainStmt: createType('ALTER DOMAIN', 'typeName'),
  AlterFunctionStmt: (fields, out) => {
    const name = functionName(fields.func)
    if (name !== undefined) out.creations.push({ type: 'function', name })
    return { verb: `ALTER ${objectWords(fields.objtype)}`, kind: 'ddl', ...only([display(name)]) }
  },
  AlterOperatorStmt: (fields, out) => {
    const name = functionName(fields.opername)
    if (name !== undefined) out.creations.push({ type: 'operator', name })
    return { verb: 'ALTER OPERATOR', kind: 'ddl', ...only([display(name)]) }
  },
  AlterCollationStmt: define('ALTER COLLATION', (fields) => only([display(nameOf(fields.collname))])),
  AlterTSDictionaryStmt: define('ALTER TEXT SEARCH DICTIONARY', (fields) => only([display(nameOf(fields.dictname))])),
  AlterTSConfigurationStmt: define('ALTER TEXT SEARCH CONFIGURATION', (fields) =>
    only([display(nameOf(fields.cfgname))]),
  ),
  CreateCastStmt: (fields, out) => {
    out.opaque = true
    return { verb: 'CREATE CAST', kind: 'ddl', ...only([display(functionName(fields.func))]) }
  },
  CreateTrigStmt: (fields, out) => {
    const name = nameOf(fields.funcname)
    const body = createReading()
    if (name !== undefined) body.calls.push({ name, literals: [], asColumn: false })
    out.calls.push(...body.calls)
    const [table] = relation(fields.relation)
    if (table !== undefined) out.creations.push({ type: 'trigger', name: table, body })
    return { verb: 'CREATE TRIGGER', kind: 'ddl', ...tableOf(fields) }
  },
  CreateEventTrigStmt: (fields, out) => {
    const name = nameOf(fields.funcname)
    if (name !== undefined) out.calls.push({ name, literals: [], asColumn: false })
    return { verb: 'CREATE EVENT TRIGGER', kind: 'admin', objects: only([text(fields.trigname)]).objects }
  },
  AlterEventTrigStmt: admin('ALTER EVENT TRIGGER', 'trigname'),
  ...administration,
}
