/** The ways from a client to the server: how each is reached, and which processes stand in it. */
import { shopDatabase, shopUser } from '../../src/demo/shop.ts'
import { targetName, type DoorName } from './configs.ts'
import type { Door } from './door.ts'
import type { Reach } from './driver/jobs.ts'
import type { Tool, WayName } from './figures.ts'
import type { World } from './world.ts'

export type Part = 'gateway' | 'cli' | 'pgbouncer'

export interface Way {
  readonly name: WayName
  readonly reach: Reach
  readonly pids: Readonly<Partial<Record<Part, number>>>
}

/** A way, and who asks on it. Each is compared with the direct way of the same tool. */
export interface Lane {
  readonly way: Way
  readonly tool: Tool
}

/** What transactions are compared on. */
export const everyWay: readonly WayName[] = [
  'direct',
  'pgbouncer',
  'gateway-unflushed',
  'gateway',
  'cli-unflushed',
  'cli',
  'cli-masks',
  'cli-rules',
]

const doorOf: Readonly<Record<Exclude<WayName, 'direct' | 'pgbouncer'>, DoorName>> = {
  'gateway-unflushed': 'unflushed',
  gateway: 'demo',
  'cli-unflushed': 'unflushed',
  cli: 'demo',
  'cli-masks': 'masks',
  'cli-rules': 'rules',
  'cli-bare': 'bare',
  'cli-columns': 'columns',
}

const login = { user: shopUser, database: shopDatabase }

/** undefined: not on this machine. */
export async function wayNamed(name: WayName, world: World): Promise<Way | undefined> {
  if (name === 'direct') return { name, reach: tcp(world.server.port, world.password), pids: {} }
  if (name === 'pgbouncer') {
    if (world.pgbouncer === undefined) return undefined
    const { port, pid } = await world.pooler(world.pgbouncer)
    return { name, reach: tcp(port, undefined), pids: { pgbouncer: pid } }
  }
  const door = await world.door(doorOf[name])
  if (name !== 'gateway' && name !== 'gateway-unflushed') return { ...cliWay(door), name }
  const { gateway, token, session, pids } = door
  const reach: Reach = { ...login, kind: 'link', gateway, token, session, target: targetName }
  return { name, reach, pids: { gateway: pids.gateway } }
}

export function cliWay({ port, pids }: Pick<Door, 'port' | 'pids'>): Way {
  return { name: 'cli', reach: tcp(port, undefined), pids }
}

export async function waysNamed(names: readonly WayName[], world: World): Promise<readonly Way[]> {
  const ways: Way[] = []
  for (const name of names) {
    const way = await wayNamed(name, world)
    if (way !== undefined) ways.push(way)
  }
  return ways
}

/** pgbench where it is installed and gets there; the driver for the rest, and then for a direct way of its own. */
export function lanesOf(ways: readonly Way[], hasPgbench: boolean): readonly Lane[] {
  const hasLink = ways.some(({ reach }) => reach.kind === 'link')
  return ways.flatMap((way): readonly Lane[] => {
    if (!hasPgbench || way.reach.kind === 'link') return [{ way, tool: 'driver' }]
    if (way.name !== 'direct' || !hasLink) return [{ way, tool: 'pgbench' }]
    return [
      { way, tool: 'pgbench' },
      { way, tool: 'driver' },
    ]
  })
}

export function directLane(lanes: readonly Lane[], { tool }: Pick<Lane, 'tool'>): Lane {
  const found = lanes.find((lane) => lane.way.name === 'direct' && lane.tool === tool)
  if (found === undefined) throw new Error(`nothing direct to compare with (${tool})`)
  return found
}

function tcp(port: number, password: string | undefined): Reach {
  return { ...login, kind: 'tcp', port, password }
}
