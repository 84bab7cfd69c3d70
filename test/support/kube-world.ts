/**
 * The whole road for Kubernetes: kubectl → `hoop connect` → `hoop gateway`, both as processes of the built program → a real
 * cluster (cluster.ts). It stands behind several targets that differ in how the gateway logs in and in what it does there.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createScope } from '../../src/base/scope.ts'
import { freePort } from '../../src/demo/postgres.ts'
import type { Env } from './built-cli.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { type Road, startRoad } from './road.ts'

/**
 * open: everything is allowed, login by certificate. token: the same by token. person: acts as whoever asks. ruled: with rules
 * and masks. shown: values of Secrets are shown. dead: nobody is there.
 */
export type KubeTarget = 'open' | 'token' | 'person' | 'ruled' | 'shown' | 'dead'

export interface KubeWorld extends Road<KubeTarget> {
  readonly folder: string
  readonly cluster: Cluster
  /** What kubectl has to be given to go through that tunnel. */
  through(target: KubeTarget): Promise<Env>
  stop(): Promise<void>
}

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
    const road = await startRoad<KubeTarget>(scope, folder, {
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
    })
    return {
      ...road,
      folder,
      cluster,
      async through(name) {
        const { kubeconfig } = await road.open(name)
        if (kubeconfig === undefined) throw new Error(`there is no kubeconfig for ${name}`)
        return { KUBECONFIG: kubeconfig, HOME: folder }
      },
      stop: () => scope.close(),
    }
  } catch (error) {
    await scope.close()
    throw error
  }
}
