/**
 * The door, the way people have it: the built program as `hoop gateway`, and again as `hoop connect` before it. Rules allow
 * everything, what PostgreSQL's grammar does not accept included: the server has to answer its own syntax errors.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { createScope } from '../../src/base/scope.ts'
import { startIdentityProvider } from '../../src/demo/identity-provider.ts'
import type { Address } from './suites.ts'

const program = fileURLToPath(new URL('../../bin/hoop.js', import.meta.url))
const person = 'tester@conformance'

export interface Door {
  /** Where `hoop connect` listens. */
  readonly address: Address
  close(): Promise<void>
}

/** `log`: where the gateway's own log is appended. */
export async function openDoor(server: Address, log: string): Promise<Door> {
  const scope = createScope()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'hoop-door-'))
    scope.defer(() => rm(folder, { recursive: true, force: true }))
    const provider = await startIdentityProvider({
      people: [{ user: person, groups: ['testers'] }],
      accessTokenTtl: 24 * 3600,
    })
    scope.defer(() => provider.stop())

    const configFile = join(folder, 'hoop.yaml')
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, server.password, { mode: 0o600 })
    await writeFile(configFile, configFor(server, { ...provider, passwordFile, store: join(folder, 'hoop.db') }))
    const gateway = await start(['gateway', '--config', configFile, '--json', '--log-file', log], {}, log)
    scope.defer(gateway.stop)

    const { accessToken } = await provider.tokensFor(person)
    const env = {
      HOOP_GATEWAY: String(gateway.said.url),
      HOOP_TOKEN: accessToken,
      XDG_STATE_HOME: folder,
      XDG_CONFIG_HOME: folder,
    }
    const connect = await start(['connect', 'pg', '--json', '--reason', 'conformance'], env, log)
    scope.defer(connect.stop)
    const [opened] = connect.said.targets as { readonly port: number }[]
    if (opened === undefined) throw new Error('hoop connect opened nothing')
    return { address: { ...server, port: opened.port, password: '' }, close: () => scope.close() }
  } catch (error) {
    await scope.close()
    throw error
  }
}

function configFor(
  server: Address,
  given: { issuer: string; clientId: string; audience: string; passwordFile: string; store: string },
): string {
  return stringify({
    listen: { host: '127.0.0.1', port: 0 },
    identity: { issuer: given.issuer, clientId: given.clientId, audience: given.audience },
    store: { path: given.store },
    targets: [
      {
        name: 'pg',
        protocol: 'postgres',
        host: server.host,
        port: server.port,
        tls: { mode: 'disable' },
        user: server.user,
        databases: [],
        secret: `file://${given.passwordFile}`,
        access: { groups: ['testers'] },
      },
    ],
    rules: [
      { name: 'everything', effect: 'allow' },
      { name: 'even-what-does-not-parse', effect: 'allow', match: { unparsed: true } },
    ],
  })
}

interface Started {
  /** Its first line of JSON. */
  readonly said: Record<string, unknown>
  stop(): Promise<void>
}

async function start(args: readonly string[], env: Record<string, string>, log: string): Promise<Started> {
  const errors = await open(log, 'a')
  const child = spawn(process.execPath, [...nodeFlags(args), program, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), ...env },
    stdio: ['ignore', 'pipe', errors.fd],
  })
  const ended = once(child, 'close')
  await errors.close()
  const first = await Promise.race([firstLine(child), ended.then(() => undefined)])
  if (first === undefined) throw new Error(`hoop ${args[0]} ended at once: see ${log}`)
  return {
    said: JSON.parse(first),
    stop: async () => {
      child.kill('SIGINT')
      await ended
    },
  }
}

/** HOOP_PROFILE=FOLDER writes a CPU profile of the gateway there. */
function nodeFlags([command]: readonly string[]): string[] {
  const folder = process.env.HOOP_PROFILE
  return folder === undefined || command !== 'gateway' ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`]
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('no stdout')
  const [line] = await once(createInterface({ input: stdout }), 'line')
  return String(line)
}
