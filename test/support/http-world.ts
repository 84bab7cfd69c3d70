/**
 * The whole road for HTTP: a client program → `hoop connect` → `hoop gateway`, both as processes of the built program → servers
 * of the tests. One server stands behind several targets that differ in what the gateway does there.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { createScope } from '../../src/base/scope.ts'
import type { AuditRecord } from '../../src/contract/record.ts'
import type { Approval } from '../../src/contract/api.ts'
import { startIdentityProvider } from '../../src/demo/identity-provider.ts'
import { freePort } from '../../src/demo/postgres.ts'
import { type Connected, type Env, hoopConnect, hoopGateway, type RunningGateway } from './built-cli.ts'
import { type FileServer, startFileServer } from './file-server.ts'
import { allRecords, firstHeld } from './reviewing.ts'
import { startWebServer, type WebServer } from './web-server.ts'

export type HttpTarget = 'open' | 'files' | 'ruled' | 'masked' | 'secured' | 'dead'

export interface HttpWorld {
  readonly folder: string
  readonly server: WebServer
  readonly files: FileServer
  readonly gateway: RunningGateway
  readonly dev: Env
  readonly dba: Env
  /** A tunnel to it, opened at its first use. */
  open(target: HttpTarget): Promise<Connected>
  held(text: string): Promise<Approval>
  records(): Promise<readonly AuditRecord[]>
  stop(): Promise<void>
}

/** What the gateway knows and the client never sees. */
export const apiKey = 'key-that-nobody-sees'

const people = [
  { user: 'dev@e2e', groups: ['engineering'] },
  { user: 'dba@e2e', groups: ['dba'] },
] as const

const rules = [
  {
    name: 'no-admin-paths',
    effect: 'deny',
    match: { targets: ['ruled'], objects: ['/admin/**', '/admin'] },
    message: 'ask for what you need',
  },
  {
    name: 'deleting-customers',
    effect: 'hold',
    match: { targets: ['ruled'], verbs: ['DELETE'] },
    approvers: { groups: ['dba'] },
    expires: '10m',
  },
  { name: 'the-rest', effect: 'allow' },
]

export async function startHttpWorld(): Promise<HttpWorld> {
  const scope = createScope()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'hoop-e2e-http-'))
    scope.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
    const provider = await startIdentityProvider({ people: [...people], accessTokenTtl: 3600 })
    scope.defer(() => provider.stop())
    const server = await startWebServer()
    scope.defer(() => server.stop())
    const files = await startFileServer()
    scope.defer(() => files.stop())

    const keyFile = join(folder, 'api-key')
    await writeFile(keyFile, apiKey, { mode: 0o600 })
    const target = (name: HttpTarget, change: object = {}) => ({
      name,
      protocol: 'http',
      host: server.host,
      port: server.port,
      tls: { mode: 'disable' },
      access: { groups: ['engineering'] },
      ...change,
    })
    const configFile = join(folder, 'hoop.yaml')
    await writeFile(
      configFile,
      stringify({
        listen: { host: '127.0.0.1', port: await freePort() },
        identity: { issuer: provider.issuer, clientId: provider.clientId, audience: provider.audience },
        roles: { admin: { groups: ['dba'] }, auditor: { groups: ['dba'] } },
        store: { path: join(folder, 'hoop.db') },
        targets: [
          target('open'),
          target('files', { port: files.port }),
          target('ruled'),
          target('masked'),
          target('secured', { secret: `file://${keyFile}`, http: { login: 'header', name: 'X-Api-Key' } }),
          target('dead', { port: await freePort() }),
        ],
        rules,
        masks: [
          { name: 'passwords', match: { targets: ['masked'] }, fields: ['password'], style: 'redact' },
          { name: 'contact-data', match: { targets: ['masked'] }, detectors: ['email'], style: 'partial' },
        ],
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
    const tunnels = new Map<HttpTarget, Promise<Connected>>()
    scope.defer(async () => {
      await Promise.all([...tunnels.values()].map(async (tunnel) => (await tunnel).stop()))
    })
    return {
      folder,
      server,
      files,
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
      stop: () => scope.close(),
    }
  } catch (error) {
    await scope.close()
    throw error
  }
}
