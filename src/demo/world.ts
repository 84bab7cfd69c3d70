/**
 * Everything that hoop needs, in one process and one throw-away folder: an identity provider, a PostgreSQL server with the
 * shop in it, a machine to reach over SSH, an HTTP API, and the gateway. Whoever starts it stops it; then nothing is left.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createScope } from '../base/scope.ts'
import { startGateway } from '../gateway/gateway.ts'
import { type CustomersApi, startCustomersApi } from './customers-api.ts'
import { type IdentityProvider, startIdentityProvider } from './identity-provider.ts'
import { people } from './people.ts'
import { findOwnCluster, type OwnCluster } from './own-cluster.ts'
import { type Postgres, type PostgresOptions, startPostgres } from './postgres.ts'
import { sampleConfig } from './sample-config.ts'
import { fillShop } from './shop.ts'
import { startSmallSshServer } from './ssh-server.ts'
import { fillFolder, type SshTarget } from './ssh-target.ts'
import { findSshd, startSshd } from './sshd.ts'

export interface World {
  /** Removed by stop(). */
  readonly folder: string
  readonly gateway: string
  readonly configFile: string
  readonly provider: IdentityProvider
  readonly server: Postgres
  readonly ssh: SshTarget
  readonly api: CustomersApi
  /** With `kubeconfig`. */
  readonly cluster: OwnCluster | undefined
  stop(): Promise<void>
}

export interface WorldOptions {
  /** Told before each slow step. */
  readonly say?: (step: string) => void
  readonly settings?: PostgresOptions['settings']
  /** OpenSSH's server where it is installed, the small one elsewhere; unless said otherwise. */
  readonly startSsh?: () => Promise<SshTarget>
  /** Whose current context is a target, too. */
  readonly kubeconfig?: string | undefined
  /** Ends the start between two steps; what was started is stopped. */
  readonly signal?: AbortSignal
}

export async function startWorld({
  say,
  settings,
  signal,
  kubeconfig,
  startSsh = startSshTarget,
}: WorldOptions = {}): Promise<World> {
  const scope = createScope()
  const step = (name: string) => {
    signal?.throwIfAborted()
    say?.(name)
  }
  try {
    const folder = await mkdtemp(join(tmpdir(), 'hoop-demo-'))
    scope.defer(() => rm(folder, { recursive: true, force: true }))

    // First of all, because it may end here.
    if (kubeconfig !== undefined) step('looking for your cluster')
    const cluster = kubeconfig === undefined ? undefined : await findOwnCluster(kubeconfig, folder)

    step('starting an identity provider')
    const provider = await startIdentityProvider({ people })
    scope.defer(() => provider.stop())

    step('starting PostgreSQL and filling a small shop')
    const server = await startPostgres(settings === undefined ? {} : { settings })
    scope.defer(() => server.stop())
    const password = randomBytes(18).toString('base64url')
    await fillShop(server, password)
    const passwordFile = join(folder, 'shop-password')
    await writeFile(passwordFile, password, { mode: 0o600 })

    step('starting an SSH server')
    const ssh = await startSsh()
    scope.defer(() => ssh.stop())
    await fillFolder(ssh.home)
    const keyFile = join(folder, 'ssh-key')
    await writeFile(keyFile, ssh.clientKey, { mode: 0o600 })

    const api = await startCustomersApi()
    scope.defer(() => api.stop())
    const tokenFile = join(folder, 'api-token')
    await writeFile(tokenFile, api.token, { mode: 0o600 })

    step('starting the gateway')
    const configFile = join(folder, 'hoop.yaml')
    const store = join(folder, 'hoop.db')
    const config = sampleConfig({
      port: 0,
      provider,
      server,
      passwordFile,
      store,
      ssh: { ...ssh, keyFile },
      api: { ...api, tokenFile },
      ...(cluster !== undefined && { cluster }),
    })
    await writeFile(configFile, config, { mode: 0o600 })
    const gateway = await startGateway({ configFile, env: {}, log: { file: join(folder, 'gateway.log') } })
    scope.defer(() => gateway.close())
    signal?.throwIfAborted()

    const stop = () => scope.close()
    return { folder, gateway: gateway.url, configFile, provider, server, ssh, api, cluster, stop }
  } catch (error) {
    await scope.close()
    throw error
  }
}

function startSshTarget(): Promise<SshTarget> {
  return findSshd() === undefined ? startSmallSshServer() : startSshd()
}
