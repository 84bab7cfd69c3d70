/**
 * The whole road for Kubernetes: kubectl → `hoop connect` → `hoop gateway`, both as processes of the built program → a real
 * cluster (cluster.ts). It stands behind several targets that differ in how the gateway logs in and in what it does there.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { createScope } from '../../src/base/scope.ts'
import type { Approval } from '../../src/contract/api.ts'
import type { AuditRecord } from '../../src/contract/record.ts'
import { startIdentityProvider } from '../../src/demo/identity-provider.ts'
import { freePort } from '../../src/demo/postgres.ts'
import { type Connected, type Env, hoopConnect, hoopGateway, type RunningGateway } from './built-cli.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { allRecords, firstHeld } from './reviewing.ts'

/**
 * open: everything is allowed, login by certificate. token: the same by token. person: acts as whoever asks. ruled: with rules
 * and masks. shown: values of Secrets are shown. dead: nobody is there.
 */
export type KubeTarget = 'open' | 'token' | 'person' | 'ruled' | 'shown' | 'dead'

export interface KubeWorld {
  readonly folder: string
  readonly cluster: Cluster
  readonly gateway: RunningGateway
  readonly dev: Env
  readonly dba: Env
  /** A tunnel to it, opened at its first use. */
  open(target: KubeTarget): Promise<Connected>
  /** What kubectl has to be given to go through that tunnel. */
  through(target: KubeTarget): Promise<Env>
  held(text: string): Promise<Approval>
  records(): Promise<readonly AuditRecord[]>
  stop(): Promise<void>
}

const people = [
  { user: 'dev@e2e', groups: ['engineering'] },
  { user: 'dba@e2e', groups: ['dba'] },
] as const

const onRuled = { targets: ['ruled'] }
const rules = [
  {
    name: 'kube-system-is-not-yours',
    effect: 'deny',
    match: { ...onRuled, objects: ['kube-system/*'] },
    message: 'ask the platform team',
  },
  { name: 'nobody-becomes-root', effect: 'deny', match: { ...onRuled, functions: ['sudo'] } },
  {
    name: 'no-ways-in',
    effect: 'deny',
    match: { ...onRuled, verbs: ['create pods/portforward', 'get pods/portforward'] },
  },
  {
    name: 'deleting',
    effect: 'hold',
    match: { ...onRuled, verbs: ['delete', 'deletecollection', 'exec rm'] },
    approvers: { groups: ['dba'] },
    expires: '10m',
  },
  { name: 'the-rest', effect: 'allow' },
]

export async function startKubeWorld(): Promise<KubeWorld> {
  const scope = createScope()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'hoop-e2e-kube-'))
    scope.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
    const cluster = await startCluster()
    scope.defer(() => cluster.stop())
    const provider = await startIdentityProvider({ people: [...people], accessTokenTtl: 3600 })
    scope.defer(() => provider.stop())

    const secret = async (name: string, text: string) => {
      await writeFile(join(folder, name), text, { mode: 0o600 })
      return `file://${join(folder, name)}`
    }
    const certificate = await secret('admin.pem', cluster.adminCertificate)
    const target = (name: KubeTarget, kubernetes: object = {}, change: object = {}) => ({
      name,
      protocol: 'kubernetes',
      host: cluster.host,
      port: cluster.port,
      tls: { ca: cluster.ca },
      secret: certificate,
      kubernetes: { login: 'certificate', ...kubernetes },
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
          target('token', { login: 'token' }, { secret: await secret('token', cluster.adminToken) }),
          target(
            'person',
            { login: 'token', impersonate: true },
            { secret: await secret('impersonator', cluster.impersonatorToken) },
          ),
          target('ruled'),
          target('shown', { secrets: 'show' }),
          target('dead', {}, { port: await freePort() }),
        ],
        rules,
        masks: [{ name: 'contact-data', match: onRuled, detectors: ['email'], style: 'partial' }],
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
    const tunnels = new Map<KubeTarget, Promise<Connected>>()
    scope.defer(async () => {
      await Promise.all([...tunnels.values()].map(async (tunnel) => (await tunnel).stop()))
    })
    const open = (name: KubeTarget) => {
      const tunnel = tunnels.get(name) ?? hoopConnect(name, dev)
      tunnels.set(name, tunnel)
      return tunnel
    }
    return {
      folder,
      cluster,
      gateway,
      dev,
      dba,
      open,
      async through(name) {
        const { kubeconfig } = await open(name)
        if (kubeconfig === undefined) throw new Error(`there is no kubeconfig for ${name}`)
        return { KUBECONFIG: kubeconfig, HOME: folder }
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
