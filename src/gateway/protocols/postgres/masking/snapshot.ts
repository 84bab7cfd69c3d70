/**
 * What a database holds, as far as masks must know it: relations with their columns, views with their definitions, the
 * functions, operators and casts that users made. One snapshot is taken at a time and shared (catalog.ts).
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'

/** Text in, text out. */
export type Query = (sql: string) => Promise<readonly (readonly (string | null)[])[]>

export interface Column {
  readonly number: number
  readonly name: string
  readonly type: number
  /** The expression of a generated column; empty: it could not be read. */
  readonly generated: string | null
  /** The expression that fills it where INSERT does not. */
  readonly default: string | null
}

export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** pg_class.relkind. */
  readonly kind: string
  /** Made by initdb: not a user's. */
  readonly system: boolean
  readonly columns: readonly Column[]
  /** The SELECT behind a view or materialised view; empty: it could not be read. */
  readonly definition: string | null
  /** It has rewrite rules besides a view's own: a statement about it may do and return something else. */
  readonly hasRules: boolean
  /** Where its long values are kept; 0: nowhere. */
  readonly toast: number
}

export interface UserFunction {
  readonly name: string
  readonly language: string
  readonly extension: string | null
  /** CREATE FUNCTION for sql and plpgsql, the names of its parts for an aggregate; null: nobody can read it. */
  readonly definition: string | null
}

/** A conversion that users made: the type's name that it makes, of what, and the function behind it. */
export interface Cast {
  readonly type: string
  readonly source: { readonly name: string; readonly oid: number; readonly userType: boolean }
  readonly function: string
}

export interface Snapshot {
  /** Of all that the database has answered. */
  readonly digest: string
  readonly byOid: ReadonlyMap<number, Relation>
  readonly byName: ReadonlyMap<string, readonly Relation[]>
  /** Child and parent of inheritance and partitioning. */
  readonly inherits: readonly (readonly [child: number, parent: number])[]
  readonly functions: readonly UserFunction[]
  readonly operators: readonly { readonly name: string; readonly function: string }[]
  readonly casts: readonly Cast[]
  /** Types beyond the built-in ones whose values are plain text in both formats: citext. */
  readonly textTypes: ReadonlySet<number>
}

const firstUserOid = 16_384

const columnsSchema = z.array(z.tuple([z.int(), z.string(), z.int(), z.boolean()]))

const relationsSql = `
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.reltoastrelid,
    EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type <> '1'),
    c.relkind IN ('v', 'm') AND c.oid >= ${firstUserOid},
    (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(a.attnum, a.attname, a.atttypid::bigint,
        a.attgenerated <> '') ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 't', 'S')`

// Reading a definition locks what it reads. Where somebody is altering that, the definition is not known for now, which
// counts as the worst; the names and numbers of everything else are.
const viewsSql = `
  SELECT c.oid, pg_catalog.pg_get_viewdef(c.oid) FROM pg_catalog.pg_class c
  WHERE c.relkind IN ('v', 'm') AND c.oid >= ${firstUserOid}`

const expressionsSql = `
  SELECT a.attrelid || '.' || a.attnum, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE NOT a.attisdropped`

const bodiesSql = `
  SELECT p.oid, pg_catalog.pg_get_functiondef(p.oid)
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
  WHERE p.oid >= ${firstUserOid} AND p.prokind <> 'a' AND l.lanname IN ('sql', 'plpgsql')`

const inheritsSql = `
  SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
  WHERE c.relkind IN ('r', 'p', 'f')`

const functionsSql = `
  SELECT p.proname, l.lanname, e.extname,
    CASE WHEN p.prokind = 'a' THEN (SELECT pg_catalog.concat_ws(' ', g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggmtransfn, g.aggmfinalfn)
        FROM pg_catalog.pg_aggregate g WHERE g.aggfnoid = p.oid)
      END, p.oid
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
    LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
  WHERE p.oid >= ${firstUserOid}`

const operatorsSql = `
  SELECT 'operator', o.oprname, p.proname, NULL, NULL FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
  WHERE o.oid >= ${firstUserOid}
  UNION ALL
  SELECT 'cast', t.typname, p.proname, s.typname, s.oid FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc
    JOIN pg_catalog.pg_type t ON t.oid = c.casttarget JOIN pg_catalog.pg_type s ON s.oid = c.castsource WHERE c.oid >= ${firstUserOid}`

const textTypesSql = `
  SELECT oid FROM pg_catalog.pg_type WHERE oid >= ${firstUserOid} AND typcategory = 'S' AND typtype = 'b' AND typelem = 0`

/** The very same snapshot as before where nothing has changed: whatever was worked out from it still holds. */
export async function takeSnapshot(query: Query, before?: Snapshot): Promise<Snapshot> {
  const answers: Answers = {
    relations: await query(relationsSql),
    views: await definitions(query, viewsSql),
    expressions: await definitions(query, expressionsSql),
    inherits: await query(inheritsSql),
    bodies: await definitions(query, bodiesSql),
    functions: await query(functionsSql),
    made: await query(operatorsSql),
    textTypes: await query(textTypesSql),
  }
  const digest = createHash('sha256').update(JSON.stringify(answers)).digest('base64')
  return before?.digest === digest ? before : snapshotFrom(answers, digest)
}

type Rows = Awaited<ReturnType<Query>>
type Answers = Readonly<
  Record<'relations' | 'views' | 'expressions' | 'inherits' | 'bodies' | 'functions' | 'made' | 'textTypes', Rows>
>

function snapshotFrom(answers: Answers, digest: string): Snapshot {
  const views = byKey(answers.views)
  const expressions = byKey(answers.expressions)
  const bodies = byKey(answers.bodies)
  const relations = answers.relations.map((row) => relationFrom(row, views, expressions))
  const inherits = answers.inherits.map(([child, parent]) => [Number(child), Number(parent)] as const)
  const functions = answers.functions.map(([name, language, extension, parts, oid]) => ({
    name: name ?? '',
    language: language ?? '',
    extension: extension ?? null,
    definition: parts ?? bodies.get(oid ?? '') ?? null,
  }))
  const { made } = answers
  const textTypes = new Set(answers.textTypes.map(([oid]) => Number(oid)))

  const byOid = new Map<number, Relation>()
  const byName = new Map<string, Relation[]>()
  for (const relation of relations) {
    byOid.set(relation.oid, relation)
    const same = byName.get(relation.name)
    if (same === undefined) byName.set(relation.name, [relation])
    else same.push(relation)
  }
  const ofKind = (kind: string) =>
    made.flatMap(([which, name, behind, source, oid]) =>
      which === kind ? [{ name: name ?? '', behind: behind ?? '', source: source ?? '', oid: Number(oid) }] : [],
    )
  return {
    digest,
    byOid,
    byName,
    inherits,
    functions,
    operators: ofKind('operator').map(({ name, behind }) => ({ name, function: behind })),
    casts: ofKind('cast').map(({ name, behind, source, oid }) => ({
      type: name,
      source: { name: source, oid, userType: oid >= firstUserOid },
      function: behind,
    })),
    textTypes,
  }
}

/** Empty where they cannot be had now. */
async function definitions(query: Query, sql: string): Promise<Rows> {
  try {
    return await query(sql)
  } catch {
    // Whatever lacks its definition is taken for the worst.
    return []
  }
}

function byKey(rows: Rows): ReadonlyMap<string, string> {
  return new Map(rows.map(([key, text]) => [key ?? '', text ?? '']))
}

function relationFrom(
  row: readonly (string | null)[],
  views: ReadonlyMap<string, string>,
  expressions: ReadonlyMap<string, string>,
): Relation {
  const [oid, schema, name, kind, toast, hasRules, isView, columns] = row
  return {
    oid: Number(oid),
    schema: schema ?? '',
    name: name ?? '',
    kind: kind ?? '',
    system: Number(oid) < firstUserOid,
    columns: columnsSchema.parse(JSON.parse(columns ?? '[]')).map(([number, column, type, isGenerated]) => ({
      number,
      name: column,
      type,
      generated: isGenerated ? (expressions.get(`${oid}.${number}`) ?? '') : null,
      default: isGenerated ? null : (expressions.get(`${oid}.${number}`) ?? null),
    })),
    definition: isView === 'f' ? null : (views.get(oid ?? '') ?? ''),
    hasRules: hasRules !== 'f',
    toast: Number(toast),
  }
}
