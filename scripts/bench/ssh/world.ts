/**
 * What SSH is measured on, all on loopback: the server that is reached, a second one to jump over, and the gateway with its
 * CLI as people have them. The gateway has the rules of `hoop demo`, and one more that allows the rest. It has
 * no masks: what is masked is not given out as a file, and there would be nothing to measure.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { createScope } from '../../../src/base/scope.ts'
import { startIdentityProvider } from '../../../src/demo/identity-provider.ts'
import { people } from '../../../src/demo/people.ts'
import { sampleConfig } from '../../../src/demo/sample-config.ts'
import { type Sshd, startSshd } from '../../../src/demo/sshd.ts'
import { startHop } from '../hop.ts'

export interface SshWorld {
  readonly folder: string
  readonly target: Sshd
  readonly jump: Sshd
  readonly gateway: string
  readonly pid: number
  /** What the CLI is started with to use the gateway. */
  readonly env: Readonly<Record<string, string>>
  /** Where `hoop connect` listens. */
  readonly port: number
  /** Aborted when the gateway or the CLI ends by itself. */
  readonly failed: AbortSignal
  stop(): Promise<void>
}

export const targetName = 'ssh-demo'

export interface SshWorldOptions {
  /** Where the gateway's threads leave their CPU profiles when it stops. */
  readonly profile?: string
}

export async function startSshWorld({ profile }: SshWorldOptions = {}): Promise<SshWorld> {
  const scope = createScope()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'hoop-bench-ssh-'))
    scope.defer(() => rm(folder, { recursive: true, force: true }))
    const provider = await startIdentityProvider({ people, accessTokenTtl: 24 * 3600 })
    scope.defer(() => provider.stop())
    // Bare: nothing runs between sshd and what it is asked for.
    const target = await startSshd({ bare: true })
    scope.defer(() => target.stop())
    const jump = await startSshd({ bare: true })
    scope.defer(() => jump.stop())

    const sample = parse(
      sampleConfig({
        port: 0,
        provider,
        // Never dialled here.
        server: { host: '127.0.0.1', port: 1 },
        passwordFile: join(folder, 'no-password'),
        store: join(folder, 'hoop.db'),
        ssh: { ...target, keyFile: target.clientKeyFile },
      }),
    )
    const rules = [...sample.rules, { name: 'bench', effect: 'allow', match: { protocols: ['ssh'] } }]
    const config = { ...sample, rules, masks: [], limits: { connections: 10_000 } }
    const failed = new AbortController()
    const { gateway, port, pids, env } = await startHop(scope, {
      home: folder,
      config: stringify(config),
      token: async () => (await provider.tokensFor('dev@demo')).accessToken,
      connect: [targetName],
      gatewayFlags: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
      onEnd: (error) => failed.abort(error),
    })
    return {
      folder,
      target,
      jump,
      gateway,
      pid: pids.gateway,
      env,
      port,
      failed: failed.signal,
      stop: () => scope.close(),
    }
  } catch (error) {
    await scope.close()
    throw error
  }
}
