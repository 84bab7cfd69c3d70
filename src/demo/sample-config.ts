/** The configuration that `hoop demo` writes and runs: a whole one, small enough to read at a glance. */
import { stringify } from 'yaml'
import type { IdentityProvider } from './identity-provider.ts'
import type { Postgres } from './postgres.ts'
import { shopDatabase, shopUser } from './shop.ts'
import type { SshTarget } from './ssh-target.ts'
import type { CustomersApi } from './customers-api.ts'
import type { OwnCluster } from './own-cluster.ts'

export interface SampleConfig {
  readonly port: number
  readonly provider: Pick<IdentityProvider, 'issuer' | 'clientId' | 'audience'>
  readonly server: Pick<Postgres, 'host' | 'port'>
  /** Path of the file that holds the password of the shop's database user. */
  readonly passwordFile: string
  /** Path of the SQLite store. */
  readonly store: string
  /** The SSH target, with the path of the file that holds the key to it; without it the config is about the shop alone. */
  readonly ssh?: Pick<SshTarget, 'host' | 'port' | 'user' | 'hostKey'> & { readonly keyFile: string }
  /** The HTTP API, with the path of the file that holds the token it wants. */
  readonly api?: Pick<CustomersApi, 'host' | 'port'> & { readonly tokenFile: string }
  /** The person's own cluster. */
  readonly cluster?: OwnCluster
}

export function sampleConfig(sample: SampleConfig): string {
  const { port, provider, server, passwordFile, store, ssh, api, cluster } = sample

  return stringify({
    listen: { host: '127.0.0.1', port },
    identity: { issuer: provider.issuer, clientId: provider.clientId, audience: provider.audience },
    roles: { admin: { groups: ['dba'] }, auditor: { groups: ['audit'] } },
    store: { path: store },
    audit: { rows: 5 },
    targets: [
      {
        name: 'pg-prod',
        protocol: 'postgres',
        description: 'the shop',
        host: server.host,
        port: server.port,
        tls: { mode: 'disable' },
        user: shopUser,
        databases: [shopDatabase],
        secret: `file://${passwordFile}`,
        labels: { env: 'prod' },
        access: { groups: ['engineering', 'dba'] },
      },
      ...(ssh === undefined ? [] : [sshTarget(ssh)]),
      ...(cluster === undefined ? [] : [clusterTarget(cluster)]),
      ...(api === undefined ? [] : [apiTarget(api)]),
    ],
    rules: [
      {
        name: 'no-files-or-programs',
        effect: 'deny',
        match: { protocols: ['postgres'], reaches: ['file', 'program', 'network', 'server'] },
        message: 'SQL here must not touch files, programs, the network or the server itself',
      },
      {
        name: 'no-surprises',
        effect: 'deny',
        match: { dynamic: true },
        message: 'what runs has to be visible before it runs',
      },
      {
        name: 'destructive-ddl',
        effect: 'hold',
        match: { labels: { env: 'prod' }, verbs: ['DROP', 'TRUNCATE', 'ALTER TABLE'] },
        approvers: { groups: ['dba'] },
        expires: '10m',
      },
      {
        name: 'unbounded-writes',
        effect: 'hold',
        match: { kinds: ['write'], unbounded: true },
        approvers: { groups: ['dba'] },
        expires: '10m',
      },
      ...(ssh === undefined ? [] : sshRules),
      ...(cluster === undefined ? [] : clusterRules),
      ...(api === undefined ? [] : apiRules),
      {
        name: 'everyday-work',
        effect: 'allow',
        match: { protocols: ['postgres'], kinds: ['read', 'write', 'ddl'] },
      },
    ],
    masks: [
      {
        name: 'password-hashes',
        match: { protocols: ['postgres'] },
        columns: ['*.customers.password_hash'],
        style: 'redact',
      },
      {
        name: 'contact-data',
        match: { protocols: ['postgres'] },
        columns: ['*.customers.email', '*.customers.card_number'],
        style: 'partial',
      },
      ...(api === undefined ? [] : apiMasks),
      {
        name: 'anything-that-looks-like-it',
        detectors: ['email', 'card', 'jwt', 'private-key', 'cloud-key'],
        style: 'partial',
      },
    ],
  })
}

function sshTarget({ host, port, user, hostKey, keyFile }: NonNullable<SampleConfig['ssh']>) {
  return {
    name: 'ssh-demo',
    protocol: 'ssh',
    description: 'the machine that the shop runs on',
    host,
    port,
    user,
    secret: `file://${keyFile}`,
    ssh: { login: 'key', hostKeys: [hostKey], shell: 'allow' },
    labels: { env: 'prod' },
    access: { groups: ['engineering', 'dba'] },
  }
}

const sshRules = [
  {
    name: 'nobody-becomes-root',
    effect: 'deny',
    match: { protocols: ['ssh'], functions: ['sudo', 'su', 'doas', 'pkexec'] },
    message: 'nobody becomes root here; ask for what you need',
  },
  {
    name: 'keys-stay-where-they-are',
    effect: 'deny',
    match: { protocols: ['ssh'], objects: ['*.ssh/*', '/etc/shadow', '*.pem', '*.key'] },
    message: 'keys and passwords of this machine are not for reading',
  },
  {
    name: 'removing-files',
    effect: 'hold',
    match: { protocols: ['ssh'], verbs: ['exec rm', 'exec rmdir', 'sftp remove', 'sftp rmdir'] },
    approvers: { groups: ['dba'] },
    expires: '10m',
  },
  { name: 'looking-around', effect: 'allow', match: { protocols: ['ssh'], kinds: ['read'] } },
  { name: 'a-shell', effect: 'allow', match: { protocols: ['ssh'], verbs: ['shell'] } },
]

function apiTarget({ host, port, tokenFile }: NonNullable<SampleConfig['api']>) {
  return {
    name: 'api-demo',
    protocol: 'http',
    description: 'the shop’s customers, as an API',
    host,
    port,
    tls: { mode: 'disable' },
    secret: `file://${tokenFile}`,
    http: { login: 'bearer', paths: ['/v1/customers/{id}'] },
    labels: { env: 'prod' },
    access: { groups: ['engineering', 'dba'] },
  }
}

const apiRules = [
  {
    name: 'customers-stay',
    effect: 'hold',
    match: { protocols: ['http'], verbs: ['DELETE'] },
    approvers: { groups: ['dba'] },
    expires: '10m',
  },
  { name: 'using-apis', effect: 'allow', match: { protocols: ['http'], kinds: ['read', 'write'] } },
]

const apiMasks = [
  { name: 'api-passwords', match: { protocols: ['http'] }, fields: ['password', 'password_hash'], style: 'redact' },
  { name: 'api-contacts', match: { protocols: ['http'] }, fields: ['email', 'card_number'], style: 'partial' },
]

function clusterTarget({ context, host, port, caFile, secretFile, login }: OwnCluster) {
  return {
    name: 'k8s-demo',
    protocol: 'kubernetes',
    description: `your own cluster, context ${context}`,
    host,
    port,
    tls: { ca: caFile },
    secret: `file://${secretFile}`,
    kubernetes: { login },
    access: { groups: ['engineering', 'dba'] },
  }
}

/** It is somebody's real cluster: looking is free, and everything else waits for a human. */
const clusterRules = [
  {
    name: 'changing-the-cluster',
    effect: 'hold',
    match: { protocols: ['kubernetes'], kinds: ['write', 'ddl', 'admin'] },
    approvers: { groups: ['dba'] },
    expires: '10m',
  },
  { name: 'looking-at-the-cluster', effect: 'allow', match: { protocols: ['kubernetes'], kinds: ['read'] } },
]
