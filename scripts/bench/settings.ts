/** How much is measured: in a whole run, and in a quick one. */

export const protocols = ['simple', 'extended', 'prepared'] as const
export type Protocol = (typeof protocols)[number]

export interface Settings {
  readonly quick: boolean
  readonly rounds: number
  /** Of one measurement; whole ones, because pgbench knows no others. */
  readonly seconds: number
  /** Of load on each way before anything counts: just-in-time compilers and caches. */
  readonly warmUpSeconds: number
  /** pgbench's scale: 100,000 accounts each. */
  readonly scale: number
  readonly selectRows: number
  readonly copyBytes: number
  readonly idleConnections: number
  /** New connections measured in each round, one after the other. */
  readonly newConnections: number
  /** Until what was allocated while many connections opened has been given back, or will not be. */
  readonly settleSeconds: number
  readonly latencySeconds: number
  /** For finding how much each way can take at all. */
  readonly ceilingSeconds: number
  readonly profileSeconds: number
  /** How often each program is started. */
  readonly starts: number
}

export const wholeRun: Settings = {
  quick: false,
  rounds: 5,
  seconds: 3,
  warmUpSeconds: 2,
  scale: 10,
  selectRows: 200_000,
  copyBytes: 1e9,
  idleConnections: 2000,
  newConnections: 30,
  settleSeconds: 3,
  latencySeconds: 5,
  ceilingSeconds: 2,
  profileSeconds: 10,
  starts: 7,
}

export const quickRun: Settings = {
  quick: true,
  rounds: 1,
  seconds: 1,
  warmUpSeconds: 0.2,
  scale: 10,
  selectRows: 200_000,
  copyBytes: 1e8,
  idleConnections: 200,
  newConnections: 10,
  settleSeconds: 1,
  latencySeconds: 0.7,
  ceilingSeconds: 0.5,
  profileSeconds: 2,
  starts: 1,
}
