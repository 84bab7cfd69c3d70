/**
 * What HTTP is measured on, all on loopback: an API (nginx that answers from memory), nginx as a reverse proxy before it, and
 * gateways with their CLIs as people have them: durable audit, the demo's rules, answers kept for replay as is usual.
 */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { createScope, type Scope } from '../../../src/base/scope.ts'
import { type IdentityProvider, startIdentityProvider } from '../../../src/demo/identity-provider.ts'
import { people } from '../../../src/demo/people.ts'
import { sampleConfig } from '../../../src/demo/sample-config.ts'
import { customers } from '../../../src/demo/shop.ts'
import { startHop } from '../hop.ts'
import { findTool, type Installed } from '../tools.ts'
import { startApi, startProxy } from './nginx.ts'

/**
 * `cli-bare` and `cli-unflushed` have no masks, because nginx looks at no answer; `cli` has the demo's, and answers with nothing
 * to mask in them; `cli-masks` answers in which each record has.
 */
export const httpWays = ['direct', 'nginx', 'cli-unflushed', 'cli-bare', 'cli', 'cli-masks'] as const
export type HttpWay = (typeof httpWays)[number]

export interface HttpWorld {
  readonly nginx: Installed
  /** undefined: not on this machine. */
  readonly wrk: Installed | undefined
  readonly ends: Readonly<Record<HttpWay, End>>
  /** Aborted when something that has to run ends by itself. */
  readonly failed: AbortSignal
  stop(): Promise<void>
}

/** Where a way begins, and what of hoop stands in it. */
export interface End {
  readonly port: number
  /** What is asked for. */
  readonly path: string
  readonly pids?: { readonly gateway: number; readonly cli: number }
}

export interface HttpWorldOptions {
  readonly largeBytes: number
  /** Where the gateways' and the CLIs' threads leave their CPU profiles when they stop. */
  readonly profile?: string
}

const targetName = 'api-demo'

export async function startHttpWorld({ largeBytes, profile }: HttpWorldOptions): Promise<HttpWorld> {
  const nginx = findTool('nginx')
  if (nginx === undefined) throw new Error('nginx is what this is measured with; it is not installed')
  const scope = createScope()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'hoop-bench-http-'))
    scope.defer(() => rm(folder, { recursive: true, force: true }))
    const largeFile = join(folder, 'large')
    const file = await open(largeFile, 'w')
    await file.truncate(largeBytes)
    await file.close()
    const api = await startApi(nginx, folder, { answers: smallAnswers(), largeFile })
    scope.defer(api.stop)
    const proxy = await startProxy(nginx, folder, api.port)
    scope.defer(proxy.stop)
    const provider = await startIdentityProvider({ people, accessTokenTtl: 24 * 3600 })
    scope.defer(() => provider.stop())
    const failed = new AbortController()
    const door = (changes: DoorWish['changes']) =>
      startDoor(scope, {
        provider,
        folder,
        api: api.port,
        changes,
        onEnd: (error) => failed.abort(error),
        flags: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
      })
    const masked = await door({})
    const ends = {
      direct: { port: api.port, path: ordersPath },
      nginx: { port: proxy.port, path: ordersPath },
      'cli-unflushed': await door({ masks: [], audit: { flush: false } }),
      'cli-bare': await door({ masks: [] }),
      cli: masked,
      'cli-masks': { ...masked, path: customersPath },
    }
    return { nginx, wrk: findTool('wrk'), ends, failed: failed.signal, stop: () => scope.close() }
  } catch (error) {
    await scope.close()
    throw error
  }
}

interface DoorWish {
  readonly provider: IdentityProvider
  readonly folder: string
  readonly api: number
  /** To the demo's configuration. */
  readonly changes: Readonly<Record<string, unknown>>
  readonly onEnd: (error: Error) => void
  readonly flags: readonly string[]
}

async function startDoor(scope: Scope, { provider, folder, api, changes, onEnd, flags }: DoorWish): Promise<End> {
  const home = await mkdtemp(join(folder, 'door-'))
  const tokenFile = join(home, 'token')
  await writeFile(tokenFile, 'bench-token-for-nobody', { mode: 0o600 })
  const sample = parse(
    sampleConfig({
      port: 0,
      provider,
      // Never dialled here.
      server: { host: '127.0.0.1', port: 1 },
      passwordFile: join(home, 'no-password'),
      store: join(home, 'hoop.db'),
      api: { host: '127.0.0.1', port: api, tokenFile },
    }),
  )
  const config = { ...sample, limits: { connections: 10_000 }, ...changes }
  const { port, pids } = await startHop(scope, {
    home,
    config: stringify(config),
    token: async () => (await provider.tokensFor('dev@demo')).accessToken,
    connect: [targetName],
    gatewayFlags: flags,
    cliFlags: flags,
    onEnd,
  })
  return { port, path: ordersPath, pids }
}

const smallBytes = 1024

/** 1 KiB of JSON each: orders with nothing to hide, and customers with an address, a card and a password hash. */
const ordersPath = '/v1/orders'
const customersPath = '/v1/customers'

function smallAnswers(): Readonly<Record<string, string>> {
  const orders = Array.from({ length: 9 }, (_, at) => ({
    id: 1000 + at,
    product: 'teapot',
    amount: 19.5 + at,
    paid: at % 2 === 0,
    sent: null,
  }))
  const shown = customers.slice(0, 5).map(({ id, name, email, card }) => ({
    id,
    name,
    email,
    card_number: card,
    password_hash: `sha256:${String(id).padStart(32, '0')}`,
  }))
  return { [ordersPath]: filled({ orders }), [customersPath]: filled({ customers: shown }) }
}

function filled(content: Readonly<Record<string, unknown>>): string {
  const rest = smallBytes - JSON.stringify({ ...content, note: '' }).length
  if (rest < 0) throw new Error(`the answer has ${-rest} bytes too many`)
  return JSON.stringify({ ...content, note: '-'.repeat(rest) })
}
