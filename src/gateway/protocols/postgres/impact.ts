/**
 * What a held command would touch, for whoever has to approve it: the planner's estimate for changes, rows and size for
 * what is dropped or emptied, and what hangs on it. Asked of the target over the side connection, which can only read;
 * what cannot be found out in time is said to be unknown.
 */
import { z } from 'zod'
import { reasonOf } from '../../../base/errors.ts'
import type { Action, Command, Impact } from '../../../contract/command.ts'
import type { AskImpact, SideConnection } from './parts.ts'
import { unwrap } from './sql/nodes.ts'

const timeoutMs = 2_000
const mostObjects = 10
const mostLines = 40

export const askImpact: AskImpact = async (command, statement, side, signal) => {
  const found = createFindings()
  const stop = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  try {
    await untilAborted(stop, gather(command, unwrap(statement.masking.tree)?.type, side, found, stop))
  } catch (error) {
    const isLate = stop.aborted && !signal.aborted
    found.unknown = isLate ? `timed out after ${timeoutMs / 1000} s` : reasonOf(error)
  }
  return found.impact()
}

interface Findings {
  unknown: string | undefined
  line(text: string): void
  rows(count: number): void
  impact(): Impact
}

function createFindings(): Findings {
  const lines: string[] = []
  let rows: number | undefined
  return {
    unknown: undefined,
    line(text) {
      if (lines.length < mostLines && !lines.includes(text)) lines.push(text)
    },
    rows(count) {
      rows = (rows ?? 0) + count
    },
    impact() {
      return {
        lines: [...lines],
        ...(rows === undefined ? {} : { rows }),
        ...(this.unknown === undefined ? {} : { unknown: this.unknown }),
      }
    },
  }
}

async function gather(
  command: Command,
  tree: string | undefined,
  side: SideConnection,
  found: Findings,
  stop: AbortSignal,
): Promise<void> {
  if (isExplainable(command, tree)) await explain(command, side, found)
  else if (command.facts.dynamic || !command.facts.parsed) found.unknown = 'what it runs is only known when it runs'
  else if (command.actions.some(({ kind, verb }) => kind === 'write' && changes.has(verb)))
    found.unknown = 'how many rows it changes is only known when it runs'
  const looked = new Set<string>()
  for (const action of command.actions.filter(({ kind }) => kind !== 'read'))
    for (const object of action.objects) {
      if (stop.aborted || looked.size === mostObjects || looked.has(object)) continue
      looked.add(object)
      await look(object, action, side, found)
    }
}

const changes = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])
const queries = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'])

/**
 * Planning calls the functions that are declared immutable, and what a user declares need not be true: only what calls
 * nothing but builtins is planned.
 */
function isExplainable({ actions, facts, parameters }: Command, tree: string | undefined): boolean {
  return (
    tree !== undefined &&
    queries.has(tree) &&
    facts.kind === 'write' &&
    !facts.dynamic &&
    facts.reaches.length === 0 &&
    facts.functions.every((name) => name.startsWith('pg_catalog.')) &&
    parameters.every(({ bytes }) => bytes === undefined) &&
    actions.some(({ verb }) => changes.has(verb))
  )
}

interface Plan {
  'Node Type': string
  'Plan Rows': number
  Operation?: string | undefined
  Schema?: string | undefined
  'Relation Name'?: string | undefined
  Plans?: Plan[] | undefined
}
const planSchema: z.ZodType<Plan> = z.lazy(() =>
  z.object({
    'Node Type': z.string(),
    'Plan Rows': z.number(),
    Operation: z.string().optional(),
    Schema: z.string().optional(),
    'Relation Name': z.string().optional(),
    Plans: z.array(planSchema).optional(),
  }),
)
/** Rules make several plans of one statement. */
const explainSchema = z.array(z.object({ Plan: planSchema }))

async function explain(command: Command, side: SideConnection, found: Findings): Promise<void> {
  const values = command.parameters.map(({ value }) => value)
  const [[json = null] = []] = await side.query(`EXPLAIN (VERBOSE, FORMAT JSON) ${command.text}`, values)
  const plans = explainSchema.parse(JSON.parse(json ?? ''))
  const named = new Set(command.objects)
  for (const node of plans.flatMap(({ Plan: plan }) => modifications(plan))) {
    const table = `${node.Schema}.${node['Relation Name']}`
    // The side connection has its own search_path: an estimate of another table would mislead.
    if (!named.has(table)) {
      found.unknown = `the estimate could not be made for ${command.objects.join(', ')}`
      continue
    }
    const rows = node.Plans?.reduce((sum, child) => sum + child['Plan Rows'], 0) ?? 0
    found.rows(rows)
    found.line(`${table}: about ${count(rows)} would be ${participles[node.Operation ?? ''] ?? 'changed'}`)
  }
}

const participles: Readonly<Record<string, string>> = {
  Insert: 'inserted',
  Update: 'updated',
  Delete: 'deleted',
  Merge: 'merged',
}

function modifications(plan: Plan): readonly Plan[] {
  const own = plan['Node Type'] === 'ModifyTable' ? [plan] : []
  return [...own, ...(plan.Plans ?? []).flatMap(modifications)]
}

const relationQuestion = `
SELECT c.oid::pg_catalog.text, c.relkind::pg_catalog.text, c.reltuples::pg_catalog.int8::pg_catalog.text,
  CASE WHEN c.relkind IN ('r', 'm', 'p', 'i', 'I', 't') THEN (SELECT pg_catalog.sum(pg_catalog.pg_total_relation_size(r)) FROM (
    SELECT c.oid UNION SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t) parts (r))::pg_catalog.text END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE pg_catalog.concat(n.nspname, '.', c.relname) = $1`

const dependentsQuestion = `
SELECT pg_catalog.format('%s.%s refers to it%s', k.conrelid::pg_catalog.regclass, pg_catalog.string_agg(a.attname, ', '),
  CASE k.confdeltype WHEN 'c' THEN ' and loses its rows with it' WHEN 'n' THEN ' and becomes NULL' ELSE '' END)
FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
WHERE k.confrelid = $1::pg_catalog.oid AND k.contype = 'f' AND k.conparentid = 0
GROUP BY k.oid, k.conrelid, k.confdeltype
UNION ALL
SELECT DISTINCT pg_catalog.format('%s %s is made from it', CASE v.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END,
  v.oid::pg_catalog.regclass)
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid JOIN pg_catalog.pg_class v ON v.oid = r.ev_class
WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  AND d.refobjid = $1::pg_catalog.oid AND v.oid <> d.refobjid
LIMIT 20`

const schemaQuestion = `
SELECT pg_catalog.count(*)::pg_catalog.text, COALESCE(pg_catalog.sum(pg_catalog.pg_total_relation_size(c.oid)), 0)::pg_catalog.text,
  COALESCE(pg_catalog.sum(GREATEST(c.reltuples, 0)), 0)::pg_catalog.int8::pg_catalog.text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'm')`

/** One object: how large it is, and for what is dropped or emptied what hangs on it. */
async function look(object: string, action: Action, side: SideConnection, found: Findings): Promise<void> {
  if (object.endsWith('.*')) return lookAtSchema(object, side, found)
  const [row] = await side.query(relationQuestion, [object])
  if (row === undefined) return
  const [oid = null, relkind, tuples, bytes = null] = row
  const rows = Number(tuples)
  const isWhole = action.kind === 'ddl' || action.unbounded
  const parts = [
    ...(relkind === 'r' || relkind === 'm' || relkind === 'p'
      ? [rows < 0 ? 'rows not counted yet' : `about ${count(rows)}`]
      : []),
    ...(bytes === null ? [] : [size(Number(bytes))]),
  ]
  if (parts.length > 0) found.line(`${object}: ${parts.join(', ')}`)
  const vanish = /^(DROP|TRUNCATE)/.test(action.verb)
  if (vanish && rows >= 0 && relkind === 'r') found.rows(rows)
  if (!isWhole) return
  for (const [line] of await side.query(dependentsQuestion, [oid])) if (line) found.line(line)
}

async function lookAtSchema(object: string, side: SideConnection, found: Findings): Promise<void> {
  const [row] = await side.query(schemaQuestion, [object.slice(0, -2)])
  const [tables, bytes, rows] = row?.map(Number) ?? []
  found.line(`${object}: ${tables} tables, about ${count(rows ?? 0)}, ${size(bytes ?? 0)}`)
}

function count(rows: number): string {
  const text = Math.round(rows).toLocaleString('en-US')
  return text === '1' ? '1 row' : `${text} rows`
}

function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  // Nobody waits for it any more once the signal has come; that it fails then concerns nobody.
  work.catch(() => undefined)
  if (signal.aborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
