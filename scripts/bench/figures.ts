/** What was measured: a flat list that tables, targets and the chart are made from, and the shape of the results file. */
import { z } from 'zod'
import { sectionNames } from './arguments.ts'
import type { Spread } from './statistics.ts'

/** Each way from a client to the server, with the words that a reader sees. */
export const wayTitles = {
  direct: 'direct',
  pgbouncer: 'pgbouncer, session mode',
  'gateway-unflushed': 'gateway only, audit not flushed',
  gateway: 'gateway only',
  'cli-unflushed': 'CLI + gateway, audit not flushed',
  cli: 'CLI + gateway',
  'cli-masks': 'CLI + gateway, masks that hit',
  'cli-rules': 'CLI + gateway, 200 rules',
  'cli-bare': 'CLI + gateway, no masks at all',
  'cli-columns': 'CLI + gateway, two columns masked by name',
} as const
export type WayName = keyof typeof wayTitles

/** And those to an SSH server and to an API; `direct` and `cli` are as above. */
export const allWayTitles = {
  ...wayTitles,
  jump: 'OpenSSH ProxyJump',
  proxy: 'hoop proxy + gateway',
  nginx: 'nginx as a reverse proxy',
} as const

/** Each kind of number, how it is written, and in which order the columns stand. */
export const measures = {
  tps: { title: 'tx/s', digits: 0 },
  rps: { title: 'requests/s', digits: 0 },
  mbPerS: { title: 'MB/s', digits: 0 },
  connectsPerS: { title: 'connects/s', digits: 0 },
  ms: { title: 'ms', digits: 1 },
  ratio: { title: 'of direct', digits: 2 },
  times: { title: '× direct', digits: 2 },
  ofJump: { title: 'of ProxyJump', digits: 2 },
  ofNginx: { title: 'of nginx', digits: 2 },
  timesJump: { title: '× ProxyJump', digits: 2 },
  ofFewRules: { title: 'of few rules', digits: 3 },
  p50: { title: 'p50 ms', digits: 3 },
  p99: { title: 'p99 ms', digits: 2 },
  addedMs: { title: 'added ms', digits: 2 },
  addedP50: { title: 'added p50 ms', digits: 3 },
  addedP99: { title: 'added p99 ms', digits: 2 },
  rate: { title: 'at tx/s', digits: 0 },
  late: { title: 'driver late ms', digits: 3 },
  kb: { title: 'KB each', digits: 1 },
  kbGateway: { title: 'gateway KB', digits: 1 },
  kbCli: { title: 'CLI KB', digits: 1 },
  share: { title: '%', digits: 1 },
  cpuGateway: { title: 'gateway µs', digits: 1 },
  cpuCli: { title: 'CLI µs', digits: 1 },
  cpuPgbouncer: { title: 'pgbouncer µs', digits: 1 },
  cpuDriver: { title: 'driver µs', digits: 1 },
} as const
export type Measure = keyof typeof measures

export type Tool = 'pgbench' | 'driver'

const keysOf = <K extends string>(object: Record<K, unknown>) => Object.keys(object) as [K, ...K[]]

const figureSchema = z.object({
  section: z.enum(sectionNames),
  /** What was done: `prepared, 8 clients`. */
  what: z.string(),
  /** null: no way to the server is meant (a program's start). */
  way: z.enum(keysOf(allWayTitles)).nullable(),
  /** Who asked. */
  tool: z.enum(['pgbench', 'driver', 'ssh', 'scp', 'wrk', 'curl']).nullable(),
  measure: z.enum(keysOf(measures)),
  /** The median of the rounds. */
  value: z.number(),
  min: z.number(),
  max: z.number(),
  rounds: z.int().positive(),
})
export type Figure = z.infer<typeof figureSchema>

export const resultsSchema = z.object({
  date: z.string(),
  /** null: not measured in a git checkout. `+` behind it: with changes that are not committed. */
  commit: z.string().nullable(),
  machine: z.object({ cpu: z.string(), cores: z.int(), memoryGb: z.number(), system: z.string() }),
  versions: z.record(z.string(), z.string()),
  settings: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  sections: z.array(z.enum(sectionNames)),
  /** What a reader has to know about this run: what was missing, what was made smaller. */
  notes: z.array(z.string()),
  seconds: z.number(),
  figures: z.array(figureSchema),
})
export type Results = z.infer<typeof resultsSchema>

/** What a row of a table is about. */
export type Subject = Pick<Figure, 'section' | 'what' | 'way' | 'tool'>

export function figure(subject: Subject, measure: Measure, { median, min, max }: Spread, rounds: number): Figure {
  return { ...subject, measure, value: median, min, max, rounds }
}
