/**
 * `hoop connect` → `hoop gateway`, both as processes of the built program, and two people: one who asks, one who reviews.
 * What stands behind the gateway is the caller's.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Scope } from '../../src/base/scope.ts'
import type { Approval } from '../../src/contract/api.ts'
import type { AuditRecord } from '../../src/contract/record.ts'
import { startIdentityProvider } from '../../src/demo/identity-provider.ts'
import { freePort } from '../../src/demo/postgres.ts'
import { type Connected, type Env, hoopConnect, hoopGateway, type RunningGateway } from './built-cli.ts'
import { allRecords, firstHeld } from './reviewing.ts'

export interface Road<Target extends string> {
  readonly gateway: RunningGateway
  readonly dev: Env
  readonly dba: Env
  /** A tunnel to it, opened at its first use. */
  open(target: Target): Promise<Connected>
  held(text: string): Promise<Approval>
  records(): Promise<readonly AuditRecord[]>
}

const people = [
  { user: 'dev@e2e', groups: ['engineering'] },
  { user: 'dba@e2e', groups: ['dba'] },
] as const

/** `settings`: targets, rules and masks of the configuration. Ends with the scope. */
export async function startRoad<Target extends string>(
  scope: Scope,
  folder: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<Road<Target>> {
  const provider = await startIdentityProvider({ people: [...people], accessTokenTtl: 3600 })
  scope.defer(() => provider.stop())
  const configFile = join(folder, 'hoop.yaml')
  await writeFile(
    configFile,
    stringify({
      listen: { host: '127.0.0.1', port: await freePort() },
      identity: { issuer: provider.issuer, clientId: provider.clientId, audience: provider.audience },
      roles: { admin: { groups: ['dba'] }, auditor: { groups: ['dba'] } },
      store: { path: join(folder, 'hoop.db') },
      ...settings,
    }),
    { mode: 0o600 },
  )
  const gateway = await hoopGateway(configFile, join(folder, 'gateway.log'))
  scope.defer(() => gateway.end('SIGINT'))
  const envOf = async (user: (typeof people)[number]['user']): Promise<Env> => {
    const own = join(folder, user)
    await mkdir(own, { recursive: true })
    const { accessToken } = await provider.tokensFor(user)
    return { HOOP_GATEWAY: gateway.url, HOOP_TOKEN: accessToken, XDG_STATE_HOME: own, XDG_CONFIG_HOME: own }
  }
  const [dev, dba] = [await envOf('dev@e2e'), await envOf('dba@e2e')]
  const tunnels = new Map<Target, Promise<Connected>>()
  scope.defer(async () => {
    await Promise.all([...tunnels.values()].map(async (tunnel) => (await tunnel).stop()))
  })
  return {
    gateway,
    dev,
    dba,
    open(name) {
      const tunnel = tunnels.get(name) ?? hoopConnect(name, dev)
      tunnels.set(name, tunnel)
      return tunnel
    },
    held: (text) => firstHeld(dba, text),
    records: () => allRecords(dba),
  }
}
