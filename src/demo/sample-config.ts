/** The configuration that `hoop demo` writes and runs: a whole one, small enough to read at a glance. */
import { stringify } from 'yaml'
import type { IdentityProvider } from './identity-provider.ts'
import type { Postgres } from './postgres.ts'
import { shopDatabase, shopUser } from './shop.ts'

export interface SampleConfig {
  readonly port: number
  readonly provider: Pick<IdentityProvider, 'issuer' | 'clientId' | 'audience'>
  readonly server: Pick<Postgres, 'host' | 'port'>
  /** Path of the file that holds the password of the shop's database user. */
  readonly passwordFile: string
  /** Path of the SQLite store. */
  readonly store: string
}

export function sampleConfig({ port, provider, server, passwordFile, store }: SampleConfig): string {
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
    ],
    rules: [
      {
        name: 'no-files-or-programs',
        effect: 'deny',
        match: { reaches: ['file', 'program', 'network', 'server'] },
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
      { name: 'everyday-work', effect: 'allow', match: { kinds: ['read', 'write', 'ddl'] } },
    ],
    masks: [
      { name: 'password-hashes', columns: ['*.customers.password_hash'], style: 'redact' },
      { name: 'contact-data', columns: ['*.customers.email', '*.customers.card_number'], style: 'partial' },
      {
        name: 'anything-that-looks-like-it',
        detectors: ['email', 'card', 'jwt', 'private-key', 'cloud-key'],
        style: 'partial',
      },
    ],
  })
}
