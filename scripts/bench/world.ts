/**
 * Everything that is measured, on loopback: PostgreSQL, the identity provider, gateways and CLIs, pgbouncer, the driver.
 * What a section does not need is not started; whoever starts the world stops it, and then nothing is left.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createScope } from '../../src/base/scope.ts'
import { startIdentityProvider } from '../../src/demo/identity-provider.ts'
import { people } from '../../src/demo/people.ts'
import { type Postgres, startPostgres } from '../../src/demo/postgres.ts'
import { fillShop } from '../../src/demo/shop.ts'
import type { DoorName } from './configs.ts'
import { type Door, type DoorOptions, openDoor } from './door.ts'
import { type Driver, startDriver } from './driver/driver.ts'
import { type Pooler, startPooler } from './pooler.ts'
import { fillCopy, fillRows, fillTransactions } from './tables.ts'
import { findTool, type Installed } from './tools.ts'

export interface World {
  readonly folder: string
  readonly server: Postgres
  /** What the shop's user logs in with. */
  readonly password: string
  readonly pgbench: Installed | undefined
  readonly pgbouncer: Installed | undefined
  driver(): Driver
  /** Started the first time that it is asked for. */
  door(name: DoorName): Promise<Door>
  /** One more gateway, which the caller stops. */
  openDoor(options: Pick<DoorOptions, 'door' | 'profile'>): Promise<Door>
  pooler(tool: Installed): Promise<Pooler>
  /** Tables, filled the first time that they are asked for. */
  readonly tables: {
    transactions(scale: number): Promise<void>
    rows(count: number): Promise<void>
    /** Gives back a piece of what COPY in writes. */
    copy(bytes: number): Promise<string>
  }
  /** Aborted when a gateway or a CLI ends by itself: what is measured then is worth nothing. */
  readonly failed: AbortSignal
  stop(): Promise<void>
}

/** Beside those that are held idle. */
const spareConnections = 200

export async function startWorld({ idleConnections }: { readonly idleConnections: number }): Promise<World> {
  const connections = idleConnections + spareConnections
  const scope = createScope()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'hoop-bench-'))
    scope.defer(() => rm(folder, { recursive: true, force: true }))
    const provider = await startIdentityProvider({ people, accessTokenTtl: 24 * 3600 })
    scope.defer(() => provider.stop())
    const server = await startPostgres({
      settings: {
        max_connections: String(connections),
        shared_buffers: '256MB',
        // Neither a checkpoint nor autovacuum in the middle of somebody's round.
        max_wal_size: '8GB',
        checkpoint_timeout: '1h',
        autovacuum: 'off',
      },
    })
    scope.defer(() => server.stop())
    const password = randomBytes(18).toString('base64url')
    await fillShop(server, password)
    const passwordFile = join(folder, 'shop-password')
    await writeFile(passwordFile, password, { mode: 0o600 })
    const { accessToken } = await provider.tokensFor('dev@demo')

    const failed = new AbortController()
    let opened = 0
    const open = (options: Pick<DoorOptions, 'door' | 'profile'>) =>
      openDoor({
        ...options,
        folder: join(folder, `${options.door}-${opened++}`),
        demo: { provider, server, passwordFile },
        token: accessToken,
        onEnd: (error) => failed.abort(error),
      })
    const pgbouncer = findTool('pgbouncer')
    let driver: Driver | undefined
    return {
      folder,
      server,
      password,
      pgbench: findTool('pgbench'),
      pgbouncer,
      driver() {
        if (driver === undefined) {
          const started = startDriver()
          scope.defer(() => started.stop())
          driver = started
        }
        return driver
      },
      door: once(async (name: DoorName) => {
        const door = await open({ door: name })
        scope.defer(() => door.stop())
        return door
      }),
      openDoor: open,
      pooler: once(async (tool: Installed) => {
        const pooler = await startPooler(tool, server, password, connections)
        scope.defer(() => pooler.stop())
        return pooler
      }),
      tables: {
        transactions: once((scale: number) => fillTransactions(server, scale)),
        rows: once((count: number) => fillRows(server, count)),
        copy: once((bytes: number) => fillCopy(server, bytes)),
      },
      failed: failed.signal,
      stop: () => scope.close(),
    }
  } catch (error) {
    await scope.close()
    throw error
  }
}

/** Does it the first time, and gives the same afterwards. */
function once<Key, T>(make: (key: Key) => Promise<T>): (key: Key) => Promise<T> {
  const made = new Map<Key, Promise<T>>()
  return (key) => {
    const promise = made.get(key) ?? make(key)
    made.set(key, promise)
    return promise
  }
}
