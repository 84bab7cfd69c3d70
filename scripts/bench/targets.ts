/** What has to be reached, and what is aimed at: the only place where these numbers stand. */
import type { allWayTitles, Figure, Measure } from './figures.ts'
import type { SectionName } from './arguments.ts'

export interface Target {
  readonly section: SectionName
  readonly what: string
  readonly way: keyof typeof allWayTitles
  readonly measure: Measure
  readonly better: 'higher' | 'lower'
  readonly must: number
  readonly aim: number
}

const higher = (
  section: SectionName,
  way: Target['way'],
  measure: Measure,
  what: string,
  must: number,
  aim: number,
): Target => ({
  section,
  what,
  way,
  measure,
  better: 'higher',
  must,
  aim,
})
const lower: typeof higher = (...given) => ({ ...higher(...given), better: 'lower' })

/** Where the issue names clients but no protocol, each of the three has to reach it. */
const allProtocols = (way: Target['way'], clients: number, must: number, aim: number): readonly Target[] =>
  ['simple', 'extended', 'prepared'].map((protocol) =>
    higher('reads', way, 'ratio', `${protocol}, ${clients} clients`, must, aim),
  )

export const targets: readonly Target[] = [
  // Another open relay, with the same promise: an audit that is written and not flushed.
  higher('reads', 'gateway-unflushed', 'ratio', 'simple, 8 clients', 0.4, 0.6),
  higher('reads', 'gateway-unflushed', 'ratio', 'extended, 8 clients', 0.44, 0.6),
  higher('reads', 'gateway-unflushed', 'ratio', 'prepared, 8 clients', 0.46, 0.6),
  ...allProtocols('gateway', 8, 0.3, 0.45),
  ...allProtocols('gateway', 32, 0.38, 0.55),
  ...allProtocols('cli', 8, 0.22, 0.35),
  ...allProtocols('cli', 32, 0.27, 0.42),
  lower('reads', 'cli', 'cpuGateway', 'prepared, 16 clients', 55, 30),
  lower('reads', 'cli', 'cpuCli', 'prepared, 16 clients', 28, 15),
  higher('reads', 'cli-rules', 'ofFewRules', 'simple, 8 clients', 0.95, 0.98),
  higher('reads', 'cli-rules', 'ofFewRules', 'prepared, 8 clients', 0.95, 0.98),
  higher('writes', 'cli', 'ratio', 'read-write, 8 clients', 0.6, 0.85),
  lower('latency', 'gateway', 'addedP50', '1 client', 0.35, 0.22),
  lower('latency', 'cli', 'addedP50', '1 client', 0.45, 0.3),
  lower('bulk', 'cli-bare', 'times', 'SELECT', 1.3, 1.1),
  lower('bulk', 'cli-columns', 'times', 'SELECT', 2.5, 1.6),
  // With the demo's detectors looking at every value, and without: the issue names no masks here.
  higher('bulk', 'cli', 'ratio', 'COPY out', 0.7, 0.95),
  higher('bulk', 'cli-bare', 'ratio', 'COPY out', 0.7, 0.95),
  lower('connections', 'cli', 'kb', 'idle connections', 60, 30),
  lower('connections', 'cli', 'addedMs', 'new connection', 3, 1),
  // OpenSSH's own way through a machine in between: as fast at least.
  ...(['proxy', 'cli'] as const).flatMap((way) => [
    higher('ssh', way, 'ofJump', 'scp there', 1, 1.5),
    higher('ssh', way, 'ofJump', 'scp back', 1, 1.5),
    lower('ssh', way, 'timesJump', 'ssh target true', 1, 0.67),
  ]),
  // With an audit that is durable and answers kept; nginx keeps no audit.
  ...['1 connection', '16 connections', '64 connections'].map((clients) =>
    higher('http', 'cli-bare', 'ofNginx', `1 KiB, ${clients}`, 0.25, 0.5),
  ),
  lower('http', 'cli-bare', 'addedP50', 'latency, 16 connections', 0.5, 0.3),
  higher('http', 'cli-bare', 'ofNginx', 'download', 0.6, 0.9),
]

export type Reached = 'aim' | 'must' | 'missed'

export function targetOf(figure: Pick<Figure, 'section' | 'what' | 'way' | 'measure'>): Target | undefined {
  return targets.find(
    ({ section, what, way, measure }) =>
      section === figure.section && what === figure.what && way === figure.way && measure === figure.measure,
  )
}

export function reachedBy(value: number, { better, must, aim }: Target): Reached {
  const reaches = (wanted: number) => (better === 'higher' ? value >= wanted : value <= wanted)
  if (reaches(aim)) return 'aim'
  return reaches(must) ? 'must' : 'missed'
}
