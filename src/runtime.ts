/**
 * What a command is given: the world outside, read in one place. Environment and config file become settings here; the
 * gateway client and the kept sign-ins are made on first use, because loading them costs more than most help texts.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from './base/clock.ts'
import { createPaths, type Paths } from './base/paths.ts'
import { reasonOf } from './base/errors.ts'
import { hoopError } from './contract/error-codes.ts'
import type { GatewayClient } from './gateway-client/client.ts'
import type { StoreChoice } from './gateway-client/secret-store.ts'
import type { TokenSource } from './gateway-client/token-source.ts'
import type { TokenKeeper } from './gateway-client/tokens.ts'

export interface Io {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

export type Env = Readonly<Record<string, string | undefined>>

/** Everything that can be set outside the command line; a flag wins over these. */
export interface Settings {
  readonly gateway: string | undefined
  readonly token: string | undefined
  readonly agent: string | undefined
  readonly reason: string | undefined
  /** The session of `hoop connect … -- program` that this process runs in. */
  readonly session: string | undefined
  readonly json: boolean
  readonly debug: boolean
  readonly browser: boolean
  readonly tokenStore: StoreChoice['wish']
}

/** A gateway, the token to use with it, and the way there. */
export interface Access {
  /** As tokens are kept under it. */
  readonly gateway: string
  readonly tokens: TokenSource
  /** The HTTP proxy on the way there. */
  readonly proxy: string | undefined
  /** The token came with HOOP_TOKEN. */
  readonly isGiven: boolean
}

export interface Door extends Access {
  readonly client: GatewayClient
}

export interface Runtime {
  readonly env: Env
  readonly io: Io
  readonly clock: Clock
  readonly paths: Paths
  readonly home: string
  /** How to start this program again, by absolute paths: Node and its script. */
  readonly program: readonly string[]
  readonly platform: NodeJS.Platform
  readonly version: string
  readonly settings: Settings
  /** Aborted by Ctrl-C, or when nobody reads the output any more; the reason is `cancelled`. */
  readonly signal: AbortSignal
  /** Signals go here instead of ending the command, until it is released. */
  takeSignals(handler: (signal: NodeJS.Signals) => void): () => void
  /** The gateway that is meant: the flag, HOOP_GATEWAY, the config file, the last sign-in. */
  access(flag: string | undefined): Promise<Access>
  /** The same with a client of its API, which takes longer to load than all that `hoop proxy` does. */
  door(flag: string | undefined): Promise<Door>
  keeper(): Promise<TokenKeeper>
  stores(): StoreChoice
  /** The exit code, where it is neither 0 nor an error's. */
  exitWith(code: number): void
  readonly exitCode: number
  /** Closes what was made. */
  close(): Promise<void>
}

export interface RuntimeOptions {
  readonly env: Env
  readonly io: Io
  readonly home: string
  readonly program: readonly string[]
  readonly version: string
  readonly signal: AbortSignal
  readonly takeSignals: Runtime['takeSignals']
  readonly platform?: NodeJS.Platform
  readonly clock?: Clock
}

export function createRuntime(options: RuntimeOptions): Runtime {
  const { env, io, version, signal, takeSignals } = options
  const clock = options.clock ?? systemClock
  const platform = options.platform ?? process.platform
  const paths = createPaths(env, options.home)
  let settings: Settings | undefined
  let keeper: Promise<TokenKeeper> | undefined
  const doors: Door[] = []
  let exitCode = 0

  const stores = (): StoreChoice => ({ wish: runtime.settings.tokenStore, folder: paths.state, platform, env })

  const runtime: Runtime = {
    env,
    io,
    clock,
    paths,
    home: options.home,
    program: options.program,
    platform,
    version,
    signal,
    takeSignals,
    get settings() {
      settings ??= readSettings(env, paths)
      return settings
    },
    stores,
    keeper() {
      keeper ??= makeKeeper(stores(), clock)
      return keeper
    },
    async access(flag) {
      const { gatewayName } = await import('./gateway-client/address.ts')
      const { proxyFor } = await import('./gateway-client/proxy.ts')
      const { givenToken } = await import('./gateway-client/token-source.ts')
      const { token } = runtime.settings
      const named = flag ?? runtime.settings.gateway ?? (await (await runtime.keeper()).current())
      if (named === undefined)
        throw hoopError('usage', 'which gateway?', {
          hint: 'sign in with "hoop login --gateway URL", or give --gateway or HOOP_GATEWAY',
        })
      const gateway = gatewayName(named)
      const tokens = token === undefined ? (await runtime.keeper()).source(gateway) : givenToken(token)
      const proxy = proxyFor(new URL(gateway), env)
      return { gateway, tokens, proxy, isGiven: token !== undefined }
    },
    async door(flag) {
      const access = await runtime.access(flag)
      const { createGatewayClient } = await import('./gateway-client/client.ts')
      const { gateway, tokens, proxy } = access
      const door = { ...access, client: createGatewayClient({ url: gateway, token: tokens, proxy }) }
      doors.push(door)
      return door
    },
    exitWith(code) {
      exitCode = code
    },
    get exitCode() {
      return exitCode
    },
    async close() {
      await Promise.all(doors.splice(0).map((door) => door.client.close()))
    },
  }
  return runtime
}

async function makeKeeper(stores: StoreChoice, clock: Clock): Promise<TokenKeeper> {
  const { createTokenKeeper } = await import('./gateway-client/tokens.ts')
  return createTokenKeeper({
    stores,
    clock,
    // openid-client is loaded when a token really has to be renewed.
    refresh: async (...asked) => (await import('./gateway-client/sign-in.ts')).refresh(...asked),
  })
}

const storeWishes: readonly Settings['tokenStore'][] = ['auto', 'keychain', 'file']
const fileKeys = ['gateway', 'agent', 'reason', 'browser', 'tokenStore'] as const

function readSettings(env: Env, paths: Paths): Settings {
  const path = join(paths.config, 'config.json')
  const file = readConfigFile(path)
  const text = (value: unknown, key: string): string | undefined => {
    if (value === undefined || typeof value === 'string') return value || undefined
    throw hoopError('config-invalid', `${path}: "${key}" has to be a text`)
  }
  const given = env.HOOP_TOKEN_STORE || text(file.tokenStore, 'tokenStore') || 'auto'
  const tokenStore = storeWishes.find((wish) => wish === given)
  if (tokenStore === undefined)
    throw hoopError('usage', `there is no token store "${given}"`, {
      hint: 'HOOP_TOKEN_STORE is auto, keychain or file',
    })
  return {
    gateway: env.HOOP_GATEWAY || text(file.gateway, 'gateway'),
    token: env.HOOP_TOKEN?.trim() || undefined,
    agent: env.HOOP_AGENT || text(file.agent, 'agent'),
    reason: env.HOOP_REASON || text(file.reason, 'reason'),
    session: env.HOOP_SESSION || undefined,
    json: isOn(env.HOOP_JSON),
    debug: isOn(env.HOOP_DEBUG),
    browser: !isOn(env.HOOP_NO_BROWSER) && file.browser !== false,
    tokenStore,
  }
}

/** Also read before there are settings: a broken config file is reported in the form that was asked for. */
export function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false'
}

function readConfigFile(path: string): Readonly<Record<string, unknown>> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw hoopError('config-invalid', `cannot read ${path} (${reasonOf(error)})`, { cause: error })
  }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw hoopError('config-invalid', `${path} is not JSON (${reasonOf(error)})`, { cause: error })
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw hoopError('config-invalid', `${path} has to be an object`)
  const stray = Object.keys(content).find((key) => !fileKeys.some((known) => known === key))
  if (stray !== undefined)
    throw hoopError('config-invalid', `${path}: there is no setting "${stray}"`, {
      hint: `there are ${fileKeys.join(', ')}`,
    })
  return { ...content }
}
