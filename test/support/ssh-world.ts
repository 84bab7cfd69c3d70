/**
 * The whole road for SSH, with real ends: OpenSSH's client → `hoop proxy` → `hoop gateway`, both as processes of the built
 * program → OpenSSH's server. One server stands behind several targets that differ in what the gateway may do there.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { createScope } from '../../src/base/scope.ts'
import type { Approval } from '../../src/contract/api.ts'
import type { AuditRecord } from '../../src/contract/record.ts'
import { startIdentityProvider } from '../../src/demo/identity-provider.ts'
import { freePort } from '../../src/demo/postgres.ts'
import { generateKeyPair } from '../../src/gateway/protocols/ssh/index.ts'
import { type Ended, type Env, hoop, hoopGateway, type RunningGateway } from './built-cli.ts'
import { allRecords, firstHeld } from './reviewing.ts'
import { startTestSshd, type TestSshd } from './sshd.ts'

export interface Finished extends Ended {
  readonly bytes: Buffer
  readonly signal: NodeJS.Signals | null
}

export interface RunOptions {
  readonly input?: Buffer | string
  /** Beside what a client needs to find the gateway. */
  readonly env?: Env
}

export type WorldUser = 'dev@e2e' | 'dba@e2e'

export interface SshWorld {
  readonly folder: string
  readonly sshd: TestSshd
  readonly gateway: RunningGateway
  readonly dev: Env
  readonly dba: Env
  /** For `ssh -F`: every target as `NAME.hoop`. */
  readonly config: string
  /** A client program to its end; `config` is not given by itself. */
  run(file: string, args: readonly string[], options?: RunOptions): Promise<Finished>
  /** `ssh TARGET.hoop …` */
  ssh(target: string, ...words: string[]): Promise<Finished>
  /** The first pending approval that asks for this. */
  held(text: string): Promise<Approval>
  records(): Promise<readonly AuditRecord[]>
  /** After a crash: on the same port. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const people = [
  { user: 'dev@e2e', groups: ['engineering'] },
  { user: 'dba@e2e', groups: ['dba'] },
] as const

const rules = [
  {
    name: 'nobody-becomes-root',
    effect: 'deny',
    match: { protocols: ['ssh'], functions: ['sudo'] },
    message: 'ask for what you need',
  },
  { name: 'hidden-places', effect: 'deny', match: { verbs: ['forward'], objects: ['127.0.0.1:9'] } },
  { name: 'hidden-files', effect: 'deny', match: { objects: ['*/hidden/*'] } },
  { name: 'removing', effect: 'hold', match: { verbs: ['exec rm'] }, approvers: { groups: ['dba'] }, expires: '10m' },
  { name: 'the-rest', effect: 'allow' },
]

export async function startSshWorld(): Promise<SshWorld> {
  const scope = createScope()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'hoop-e2e-ssh-'))
    scope.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
    const provider = await startIdentityProvider({ people: [...people], accessTokenTtl: 3600 })
    scope.defer(() => provider.stop())
    const sshd = await startTestSshd({ acceptEnv: ['*'], lines: ['AllowAgentForwarding yes', 'GatewayPorts no'] })
    scope.defer(() => sshd.stop())

    const keyFile = join(folder, 'key')
    await writeFile(keyFile, sshd.clientKey, { mode: 0o600 })
    const strangerFile = join(folder, 'stranger')
    await writeFile(strangerFile, generateKeyPair().private, { mode: 0o600 })
    const otherKey = generateKeyPair().public
    const target = (name: string, ssh: object, change: object = {}) => ({
      name,
      protocol: 'ssh',
      host: sshd.host,
      port: sshd.port,
      user: sshd.user,
      secret: `file://${keyFile}`,
      ssh: { login: 'key', hostKeys: [sshd.hostKey], ...ssh },
      access: { groups: ['engineering'] },
      ...change,
    })
    const open = { shell: 'allow', forwards: ['local', 'remote'], env: ['LC_*', 'GIT_*'] }
    const port = await freePort()
    const configFile = join(folder, 'hoop.yaml')
    await writeFile(
      configFile,
      stringify({
        listen: { host: '127.0.0.1', port },
        identity: { issuer: provider.issuer, clientId: provider.clientId, audience: provider.audience },
        roles: { admin: { groups: ['dba'] }, auditor: { groups: ['dba'] } },
        store: { path: join(folder, 'hoop.db') },
        targets: [
          target('open', open),
          target('masked', open),
          target('closed', {}),
          target('dead', {}, { port: await freePort() }),
          target('stranger', {}, { secret: `file://${strangerFile}` }),
          target('changed', { hostKeys: [otherKey] }),
        ],
        rules,
        masks: [{ name: 'contact-data', match: { targets: ['masked'] }, detectors: ['email'], style: 'partial' }],
      }),
      { mode: 0o600 },
    )
    const log = join(folder, 'gateway.log')
    let gateway = await hoopGateway(configFile, log)
    scope.defer(() => gateway.end('SIGINT'))

    const envOf = async (user: WorldUser): Promise<Env> => {
      const own = join(folder, user)
      await mkdir(own, { recursive: true })
      const { accessToken } = await provider.tokensFor(user)
      return { HOOP_GATEWAY: gateway.url, HOOP_TOKEN: accessToken, XDG_STATE_HOME: own, XDG_CONFIG_HOME: own }
    }
    const [dev, dba] = [await envOf('dev@e2e'), await envOf('dba@e2e')]
    const config = await writeClientConfig(join(folder, 'dev@e2e'), dev)
    const run: SshWorld['run'] = (file, args, options) => runClient(file, args, dev, options)
    return {
      folder,
      sshd,
      get gateway() {
        return gateway
      },
      dev,
      dba,
      config,
      run,
      ssh: (name, ...words) => run('ssh', ['-F', config, `${name}.hoop`, ...words]),
      held: (text) => firstHeld(dba, text),
      records: () => allRecords(dba),
      async restart() {
        gateway = await hoopGateway(configFile, log)
      },
      stop: () => scope.close(),
    }
  } catch (error) {
    await scope.close()
    throw error
  }
}

/** A person's ~/.ssh/config after `hoop ssh-config`. */
async function writeClientConfig(home: string, dev: Env): Promise<string> {
  const file = join(home, '.ssh', 'config')
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(file, 'Host *\n  BatchMode yes\n  LogLevel ERROR\n')
  const { stderr, code } = await hoop(['ssh-config'], dev)
  if (code !== 0) throw new Error(stderr)
  return file
}

async function runClient(file: string, args: readonly string[], dev: Env, options: RunOptions = {}): Promise<Finished> {
  const child = spawn(file, args, {
    env: { PATH: process.env.PATH ?? '', HOME: dev.XDG_STATE_HOME ?? '', LC_ALL: 'C', ...dev, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const out: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  // Whoever ends before it has read everything is told apart by its status.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input)
  const [code, signal] = await once(child, 'close')
  const bytes = Buffer.concat(out)
  return { code, signal, stdout: bytes.toString(), stderr, bytes }
}
