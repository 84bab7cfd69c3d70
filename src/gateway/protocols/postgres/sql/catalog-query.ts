/** The one question to the target's catalog. Every name in it is qualified, so that no search_path can bend it. */
import { z } from 'zod'
import type { SideConnection } from '../side-connection.ts'
import type { CatalogAnswer, CatalogNames, FunctionFacts, RelationFacts, TriggerEvent } from './meanings.ts'

/** Objects made by initdb are below this (FirstNormalObjectId). */
const firstUserOid = 16_384

const surroundingsSchema = z.object({
  searchPath: z.array(z.string()),
  schemas: z.array(z.string()),
  user: z.string(),
  casts: z.array(z.tuple([z.number(), z.string(), z.enum(['e', 'a', 'i'])])),
})
const functionSchema = z.object({
  oid: z.number(),
  schema: z.string(),
  name: z.string(),
  volatility: z.enum(['i', 's', 'v']),
  securityDefiner: z.boolean(),
  language: z.string(),
  extension: z.string().nullable(),
  definition: z.string().nullable(),
  parts: z.array(z.number()),
})
const relationSchema = z.object({
  oid: z.number(),
  schema: z.string(),
  name: z.string(),
  relkind: z.string(),
  view: z
    .object({
      functionOids: z.array(z.number()),
      shows: z.array(z.object({ schema: z.string(), name: z.string() })),
      wrappers: z.array(z.string()),
      builtIns: z.array(z.string()),
    })
    .nullable(),
  rules: z.array(z.string()),
  triggers: z.array(z.tuple([z.number(), z.number()])),
  wrapper: z.string().nullable(),
  calls: z.array(z.number()),
  policyCalls: z.array(z.number()),
})
const operatorSchema = z.object({ name: z.string(), function: z.number() })
const typeSchema = z.object({ name: z.string(), functions: z.array(z.number()) })

const aggregateParts = [
  'aggtransfn',
  'aggfinalfn',
  'aggcombinefn',
  'aggserialfn',
  'aggdeserialfn',
  'aggmtransfn',
  'aggminvtransfn',
  'aggmfinalfn',
]
  .map((column) => `a.${column}::pg_catalog.oid::pg_catalog.int8`)
  .join(', ')

/**
 * A view out of its stored tree, in which functions and relations stand as OIDs. pg_get_viewdef would take locks on every
 * relation in it, and so wait for a client who has just altered one of them and asks for the view.
 */
const view = `
WITH RECURSIVE inside AS (SELECT c.oid AS oid, 0 AS depth
  UNION SELECT found.oid, 1 FROM inside i
    JOIN pg_catalog.pg_rewrite r ON r.ev_class = i.oid AND r.ev_type = '1' AND r.ev_class >= ${firstUserOid}
    CROSS JOIN LATERAL (SELECT m[1]::pg_catalog.oid AS oid
      FROM pg_catalog.regexp_matches(r.ev_action::pg_catalog.text, ':relid ([1-9][0-9]*)', 'g') m) found
    WHERE found.oid <> i.oid),
relations AS (SELECT DISTINCT oid FROM inside)
SELECT pg_catalog.json_build_object(
  'functionOids', COALESCE((SELECT pg_catalog.json_agg(DISTINCT m[1]::pg_catalog.int8) FROM relations i
    JOIN pg_catalog.pg_rewrite r ON r.ev_class = i.oid AND r.ev_type = '1' AND r.ev_class >= ${firstUserOid}
    CROSS JOIN LATERAL pg_catalog.regexp_matches(r.ev_action::pg_catalog.text,
      ':(?:funcid|opfuncid|aggfnoid|winfnoid|tsmhandler) ([1-9][0-9]*)', 'g') m), '[]'),
  'shows', COALESCE((SELECT pg_catalog.json_agg(DISTINCT pg_catalog.jsonb_build_object('schema', n.nspname, 'name', x.relname))
    FROM pg_catalog.pg_rewrite r
    CROSS JOIN LATERAL pg_catalog.regexp_matches(r.ev_action::pg_catalog.text, ':relid ([1-9][0-9]*)', 'g') m
    JOIN pg_catalog.pg_class x ON x.oid = m[1]::pg_catalog.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace
    WHERE r.ev_class = c.oid AND r.ev_type = '1' AND x.oid <> c.oid), '[]'),
  'wrappers', COALESCE((SELECT pg_catalog.json_agg(DISTINCT w.fdwname) FROM relations i
    JOIN pg_catalog.pg_foreign_table f ON f.ftrelid = i.oid JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
    JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw), '[]'),
  'builtIns', COALESCE((SELECT pg_catalog.json_agg(DISTINCT x.relname) FROM relations i
    JOIN pg_catalog.pg_class x ON x.oid = i.oid WHERE x.oid < ${firstUserOid}), '[]'))`

/** Tables below a relation, by inheritance or partitioning, and itself: their definitions count when its rows change. */
const family = `
WITH RECURSIVE below AS (SELECT c.oid AS oid
  UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN below b ON i.inhparent = b.oid)
SELECT oid FROM below`

/** Functions that definitions depend on, also behind operators. PostgreSQL's own are not kept as dependencies. */
function calledBy(definitions: string): string {
  return `COALESCE((SELECT pg_catalog.json_agg(DISTINCT COALESCE(o.oprcode::pg_catalog.oid, d.refobjid)::pg_catalog.int8)
    FROM (${definitions}) own (class, oid)
    JOIN pg_catalog.pg_depend d ON d.classid = own.class AND d.objid = own.oid
    LEFT JOIN pg_catalog.pg_operator o ON d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND o.oid = d.refobjid
    WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass OR o.oid IS NOT NULL), '[]')`
}

/** What a table's definition calls when its rows change: defaults, generated columns, CHECK, index expressions, WHEN. */
const calls = calledBy(`
  SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass, x.oid FROM pg_catalog.pg_attrdef x WHERE x.adrelid IN (${family})
  UNION ALL SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, x.oid FROM pg_catalog.pg_constraint x WHERE x.conrelid IN (${family})
  UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, x.indexrelid FROM pg_catalog.pg_index x WHERE x.indrelid IN (${family})
  UNION ALL SELECT 'pg_catalog.pg_trigger'::pg_catalog.regclass, x.oid FROM pg_catalog.pg_trigger x
    WHERE x.tgrelid IN (${family}) AND x.tgqual IS NOT NULL AND x.tgenabled <> 'D'`)
const policyCalls = calledBy(`
  SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass, x.oid FROM pg_catalog.pg_policy x WHERE x.polrelid = c.oid`)

const question = `
SELECT 'surroundings', pg_catalog.json_build_object(
  'searchPath', pg_catalog.current_schemas(true),
  'schemas', (SELECT pg_catalog.array_agg(nspname) FROM pg_catalog.pg_namespace),
  'user', current_user,
  'casts', COALESCE((SELECT pg_catalog.json_agg(pg_catalog.json_build_array(c.castfunc::pg_catalog.oid::pg_catalog.int8, t.typname, c.castcontext))
    FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_type t ON t.oid = c.casttarget
    WHERE c.oid >= ${firstUserOid} AND c.castfunc <> 0 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_cast'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')), '[]'))::pg_catalog.text
UNION ALL
SELECT 'function', pg_catalog.json_build_object(
  'oid', p.oid::pg_catalog.int8, 'schema', n.nspname, 'name', p.proname, 'volatility', p.provolatile,
  'securityDefiner', p.prosecdef, 'language', l.lanname,
  'extension', (SELECT e.extname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
      AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass LIMIT 1),
  'definition', CASE WHEN p.oid >= ${firstUserOid} AND p.prokind IN ('f', 'p', 'w') AND l.lanname IN ('sql', 'plpgsql')
    THEN pg_catalog.pg_get_functiondef(p.oid) END,
  'parts', COALESCE((SELECT pg_catalog.json_build_array(${aggregateParts})
    FROM pg_catalog.pg_aggregate a WHERE a.aggfnoid = p.oid AND p.oid >= ${firstUserOid}), '[]'))::pg_catalog.text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE p.proname = ANY ($2::pg_catalog.text[]::pg_catalog.name[]) OR p.oid = ANY ($3::pg_catalog.oid[])
UNION ALL
SELECT 'relation', pg_catalog.json_build_object(
  'oid', c.oid::pg_catalog.int8, 'schema', n.nspname, 'name', c.relname, 'relkind', c.relkind,
  'view', CASE WHEN c.oid >= ${firstUserOid} AND c.relkind IN ('v', 'm') THEN (${view}) END,
  'rules', COALESCE((SELECT pg_catalog.json_agg(pg_catalog.pg_get_ruledef(r.oid)) FROM pg_catalog.pg_rewrite r
    WHERE r.ev_class = c.oid AND r.ev_type <> '1' AND c.oid >= ${firstUserOid} AND r.ev_enabled <> 'D'), '[]'),
  'triggers', COALESCE((SELECT pg_catalog.json_agg(pg_catalog.json_build_array(t.tgfoid::pg_catalog.int8, t.tgtype::pg_catalog.int4))
    FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgrelid IN (${family})), '[]'),
  'calls', CASE WHEN c.oid >= ${firstUserOid} AND c.relkind IN ('r', 'p', 'f') THEN ${calls} ELSE '[]' END,
  'policyCalls', CASE WHEN c.relrowsecurity THEN ${policyCalls} ELSE '[]' END,
  'wrapper', (SELECT w.fdwname FROM pg_catalog.pg_foreign_table f JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
    JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE f.ftrelid = c.oid))::pg_catalog.text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = ANY ($1::pg_catalog.text[]::pg_catalog.name[]) AND c.relkind <> 'c'
UNION ALL
SELECT 'operator', pg_catalog.json_build_object('name', o.oprname, 'function', o.oprcode::pg_catalog.oid::pg_catalog.int8)::pg_catalog.text
FROM pg_catalog.pg_operator o
WHERE o.oprname = ANY ($4::pg_catalog.text[]::pg_catalog.name[]) AND o.oid >= ${firstUserOid} AND o.oprcode <> 0
UNION ALL
SELECT 'type', pg_catalog.json_build_object('name', t.typname, 'functions', COALESCE((
    WITH RECURSIVE base AS (SELECT t.oid, t.typbasetype
      UNION SELECT b.oid, b.typbasetype FROM pg_catalog.pg_type b JOIN base ON base.typbasetype = b.oid)
    SELECT pg_catalog.json_agg(d.refobjid::pg_catalog.int8) FROM base
      JOIN pg_catalog.pg_constraint k ON k.contypid = base.oid
      JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = k.oid
        AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass), '[]'))::pg_catalog.text
FROM pg_catalog.pg_type t WHERE t.typname = ANY ($5::pg_catalog.text[]::pg_catalog.name[])`

/** Rejects when the target does not answer, or answers in a form that is not understood. */
export async function ask(side: SideConnection, names: Required<CatalogNames>): Promise<CatalogAnswer> {
  const rows = await side.query(question, [
    arrayText(names.relations),
    arrayText(names.functions),
    arrayText(names.functionOids.map(String)),
    arrayText(names.operators),
    arrayText(names.types),
  ])
  const of = (type: string): unknown[] =>
    rows.flatMap(([of, json]) => (of === type ? [JSON.parse(json ?? 'null')] : []))
  const [surroundings] = z.array(surroundingsSchema).length(1).parse(of('surroundings'))
  if (surroundings === undefined) throw new Error('the catalog gave no surroundings')
  return {
    relations: z.array(relationSchema).parse(of('relation')).map(relationFacts),
    functions: z.array(functionSchema).parse(of('function')).map(functionFacts),
    operators: grouped(
      z
        .array(operatorSchema)
        .parse(of('operator'))
        .map(({ name, function: oid }) => [name, [oid]]),
    ),
    types: grouped(
      z
        .array(typeSchema)
        .parse(of('type'))
        .map(({ name, functions }) => [name, functions]),
    ),
    surroundings: {
      ...surroundings,
      schemas: new Set(surroundings.schemas),
      casts: surroundings.casts.map(([functionOid, target, context]) => ({
        functionOid,
        target,
        context: castContexts[context],
      })),
    },
  }
}

const castContexts = { e: 'explicit', a: 'assignment', i: 'implicit' } as const

function functionFacts(row: z.infer<typeof functionSchema>): FunctionFacts {
  const volatility = { i: 'immutable', s: 'stable', v: 'volatile' } as const
  return {
    ...row,
    builtIn: row.oid < firstUserOid,
    volatility: volatility[row.volatility],
    parts: row.parts.filter((oid) => oid !== 0),
  }
}

/** pg_trigger.tgtype as bits (src/include/catalog/pg_trigger.h). */
const triggerBits: readonly (readonly [bit: number, event: TriggerEvent])[] = [
  [4, 'INSERT'],
  [8, 'DELETE'],
  [16, 'UPDATE'],
  [32, 'TRUNCATE'],
]

function relationFacts(row: z.infer<typeof relationSchema>): RelationFacts {
  const triggers = row.triggers.map(([functionOid, type]) => ({
    functionOid,
    events: triggerBits.flatMap(([bit, event]) => ((type & bit) === 0 ? [] : [event])),
  }))
  return { ...row, builtIn: row.oid < firstUserOid, triggers }
}

function grouped(pairs: readonly (readonly [string, readonly number[]])[]): ReadonlyMap<string, readonly number[]> {
  const groups = new Map<string, number[]>()
  for (const [name, oids] of pairs) groups.set(name, [...(groups.get(name) ?? []), ...oids])
  return groups
}

/** PostgreSQL's array literal. */
function arrayText(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`
}
