/**
 * A real cluster for tests: etcd, kube-apiserver with RBAC and its audit on, and one node whose kubelet runs Pods as processes
 * of this machine (test/cluster/kubelet). No controllers run: a Deployment makes no Pods, a namespace does not go away.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createScope } from '../../src/base/scope.ts'
import { freePort } from '../../src/demo/postgres.ts'
import { asSecret, makeAuthority, makeSigningKey } from './cluster/certificates.ts'
import { launch, untilReady } from './cluster/daemon.ts'
import { kubectlOf, type Kubectl } from './cluster/kubectl.ts'
import { findPrograms } from './cluster/programs.ts'

export interface Cluster {
  readonly url: string
  readonly host: string
  readonly port: number
  /** PEM file of the authority that signed the API server's certificate. */
  readonly ca: string
  /** PEM of certificate and key: may do everything. */
  readonly adminCertificate: string
  /** May do everything, as user `robot`. */
  readonly adminToken: string
  /** User `gateway`, which may do nothing but act as others. */
  readonly impersonatorToken: string
  /** For KUBECONFIG: the admin, straight to the API server. */
  readonly kubeconfig: string
  readonly folder: string
  /** What ran in this cluster's Pods is below it: `pods/NAMESPACE/POD/CONTAINER`. */
  readonly pods: string
  /** The newest kubectl, as the admin. */
  readonly kubectl: Kubectl
  /** A Pod that runs, of one container `main`. */
  runPod(name: string, options?: PodOptions): Promise<void>
  /** Who did what, as the API server wrote it down. */
  audit(): Promise<readonly AuditEvent[]>
  stop(): Promise<void>
}

export interface PodOptions {
  readonly namespace?: string
  readonly command?: readonly string[]
  readonly stdin?: boolean
  readonly tty?: boolean
}

/** https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ */
export interface AuditEvent {
  readonly stage: string
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string; readonly groups?: readonly string[] }
  readonly impersonatedUser?: { readonly username: string; readonly groups?: readonly string[] }
  readonly userAgent?: string
  readonly objectRef?: Readonly<Record<string, string>>
  readonly responseStatus?: { readonly code?: number }
}

/** In CI it has to be built; elsewhere its tests are left out, loudly. */
export function hasCluster(): boolean {
  if (findPrograms() !== undefined) return true
  if (process.env.CI !== undefined) throw new Error('the cluster is not built, and CI has to have it')
  console.warn('LEFT OUT: the tests with a real cluster, because it is not built: run "npm run build:cluster"')
  return false
}

const adminToken = 'token-of-the-robot'
const impersonatorToken = 'token-of-the-gateway'

export async function startCluster(): Promise<Cluster> {
  const programs = findPrograms()
  if (programs === undefined) throw new Error('the cluster is not built: run "npm run build:cluster"')
  const scope = createScope()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'hoop-cluster-'))
    scope.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
    const place = (name: string) => join(folder, name)
    const authority = makeAuthority(folder)
    const accounts = makeSigningKey(folder)
    const server = authority.server('api-server')
    const towardsNodes = authority.client('api-server-client', 'kube-apiserver')
    const admin = authority.client('admin', 'admin', 'system:masters')
    await writeFile(
      place('tokens.csv'),
      `${adminToken},robot,robot,system:masters\n${impersonatorToken},gateway,gateway\n`,
      { mode: 0o600 },
    )
    await writeFile(place('audit-policy.yaml'), auditPolicy)

    const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()]
    const etcdUrl = `http://127.0.0.1:${etcdPort}`
    const peerUrl = `http://127.0.0.1:${peerPort}`
    const etcd = launch(programs.etcd, place('etcd.log'), [
      `--data-dir=${place('etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      '--unsafe-no-fsync',
    ])
    scope.defer(etcd.stop)
    const api = launch(programs.apiServer, place('api-server.log'), [
      `--etcd-servers=${etcdUrl}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${port}`,
      '--service-cluster-ip-range=10.0.0.0/24',
      '--endpoint-reconciler-type=none',
      `--cert-dir=${folder}`,
      `--tls-cert-file=${server.cert}`,
      `--tls-private-key-file=${server.key}`,
      `--client-ca-file=${authority.ca}`,
      `--token-auth-file=${place('tokens.csv')}`,
      `--service-account-key-file=${accounts.cert}`,
      `--service-account-signing-key-file=${accounts.key}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--authorization-mode=RBAC',
      // Nobody here makes the account of a namespace that this would look for.
      '--disable-admission-plugins=ServiceAccount',
      `--kubelet-certificate-authority=${authority.ca}`,
      `--kubelet-client-certificate=${towardsNodes.cert}`,
      `--kubelet-client-key=${towardsNodes.key}`,
      '--kubelet-preferred-address-types=InternalIP',
      `--audit-policy-file=${place('audit-policy.yaml')}`,
      `--audit-log-path=${place('audit.log')}`,
    ])
    scope.defer(api.stop)
    const url = `https://127.0.0.1:${port}`
    await untilReady(`${url}/readyz`, { ca: authority.ca, token: adminToken, daemons: [etcd, api] })

    const kubeconfig = place('admin.kubeconfig')
    const settings = ['--kubeconfig', kubeconfig]
    const kubectl = kubectlOf(programs.kubectl, { KUBECONFIG: kubeconfig, HOME: folder })
    const must = async (...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await kubectl(words)
      if (code !== 0) throw new Error(`kubectl ${words.join(' ')}: ${stderr}`)
      return stdout
    }
    await must(
      'config',
      'set-cluster',
      'test',
      ...settings,
      `--server=${url}`,
      `--certificate-authority=${authority.ca}`,
    )
    const pair = [`--client-certificate=${admin.cert}`, `--client-key=${admin.key}`]
    await must('config', 'set-credentials', 'admin', ...settings, ...pair)
    await must('config', 'set-context', 'test', ...settings, '--cluster=test', '--user=admin')
    await must('config', 'use-context', 'test', ...settings)

    const pods = place('pods')
    const node = authority.server('node')
    const kubelet = launch(programs.kubelet, place('kubelet.log'), [
      `--kubeconfig=${kubeconfig}`,
      `--folder=${pods}`,
      `--cert=${node.cert}`,
      `--key=${node.key}`,
      `--ca=${authority.ca}`,
    ])
    scope.defer(kubelet.stop)
    await must('create', 'clusterrole', 'acts-as-others', '--verb=impersonate', '--resource=users,groups')
    await must('create', 'clusterrolebinding', 'acts-as-others', '--clusterrole=acts-as-others', '--user=gateway')

    return {
      url,
      host: '127.0.0.1',
      port,
      ca: authority.ca,
      adminCertificate: asSecret(admin),
      adminToken,
      impersonatorToken,
      kubeconfig,
      folder,
      pods,
      kubectl,
      async runPod(name, { namespace = 'default', ...options } = {}) {
        const { code, stderr } = await kubectl(['apply', '-f', '-'], {
          input: JSON.stringify(podOf(name, namespace, options)),
        })
        if (code !== 0) throw new Error(stderr)
        await must('wait', '--for=condition=Ready', '--timeout=30s', '-n', namespace, `pod/${name}`)
      },
      async audit() {
        const text = await readFile(place('audit.log'), 'utf8')
        return text
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as AuditEvent)
      },
      stop: () => scope.close(),
    }
  } catch (error) {
    await scope.close()
    throw error
  }
}

/** Everything at the level that names who and what; nothing twice. */
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{ level: Metadata }]
`

function podOf(name: string, namespace: string, { command, stdin, tty }: Omit<PodOptions, 'namespace'>): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: { containers: [{ name: 'main', image: 'this-machine', command, stdin, tty }] },
  }
}
