/** The gateways' configurations: the demo's, with what each way changes. Pure. */
import { parse, stringify } from 'yaml'
import { type SampleConfig, sampleConfig } from '../../src/demo/sample-config.ts'

export const doorNames = ['demo', 'unflushed', 'masks', 'rules', 'bare', 'columns'] as const
export type DoorName = (typeof doorNames)[number]

export const targetName = 'pg-prod'
/** In the table of the large SELECT. */
export const maskedColumns = ['email', 'card_number']

type Entry = Readonly<Record<string, unknown>>

interface Demo {
  readonly audit: Entry
  readonly rules: readonly Entry[]
  readonly masks: readonly Entry[]
}

const byName: readonly Entry[] = [
  { name: 'bench-columns', columns: maskedColumns.map((column) => `*.bench_rows.${column}`), style: 'partial' },
]
/** In every answer of pgbench's SELECT. */
const hits: readonly Entry[] = [{ name: 'bench-balances', columns: ['*.pgbench_accounts.abalance'], style: 'redact' }]

const changes: Readonly<Record<DoorName, (demo: Demo) => Partial<Demo>>> = {
  demo: () => ({}),
  unflushed: ({ audit }) => ({ audit: { ...audit, flush: false } }),
  masks: ({ masks }) => ({ masks: [...hits, ...masks] }),
  rules: ({ rules }) => ({ rules: [...furtherRules(200 - rules.length), ...rules] }),
  bare: () => ({ masks: [] }),
  columns: () => ({ masks: byName }),
}

export function configFor(door: DoorName, demo: SampleConfig): string {
  const sample: Demo = parse(sampleConfig(demo))
  // One session holds all connections of a way.
  return stringify({ ...sample, limits: { connections: 10_000 }, ...changes[door](sample) })
}

/** Rules of every kind that a team writes; each has to be looked at for pgbench's statements, none applies to them. */
export function furtherRules(count: number): readonly Entry[] {
  return Array.from({ length: count }, (_, at) => {
    const name = `bench-${at + 1}`
    const kind = kinds[at % kinds.length]
    if (kind === undefined) throw new Error('no kinds of rules')
    return { name, ...kind(at) }
  })
}

const approvers = { groups: ['dba'] }
const kinds: readonly ((at: number) => Entry)[] = [
  (at) => ({ effect: 'deny', match: { objects: [`*.payroll_${at}`, `finance_${at}.*`] } }),
  (at) => ({ effect: 'hold', match: { kinds: ['write'], objects: [`audit_${at}.*`] }, approvers }),
  (at) => ({ effect: 'deny', match: { labels: { env: 'prod' }, users: [`batch-${at}@*`], verbs: ['DELETE'] } }),
  (at) => ({ effect: 'deny', match: { functions: [`*.dangerous_${at}`] } }),
  (at) => ({ effect: 'allow', match: { groups: [`team-${at}`], kinds: ['read'], objects: [`team_${at}.*`] } }),
]
