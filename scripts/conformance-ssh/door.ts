/** The door as people have it, with everything allowed: before a server that listens, and before one a connection. */
import { writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { z } from 'zod'
import { createScope } from '../../src/base/scope.ts'
import { paths, targetSchema } from '../../src/contract/api.ts'
import { startIdentityProvider } from '../../src/demo/identity-provider.ts'
import { generateKeyPair } from '../../src/gateway/protocols/ssh/index.ts'
import { connectSaid, gatewaySaid, startProgram } from '../bench/program.ts'

const program = fileURLToPath(new URL('../../bin/hoop.js', import.meta.url))
const person = 'tester@conformance'

export interface Door {
  /** Where `hoop connect` listens, before the server that listens. */
  readonly port: number
  /** To the other one. */
  readonly proxyCommand: string
  readonly env: Readonly<Record<string, string>>
  /** The gateway's, as clients see it. */
  readonly hostKey: string
  /** The gateway's, as the servers see it. */
  readonly login: string
  close(): Promise<void>
}

export interface DoorOptions {
  readonly folder: string
  readonly serverPort: number
  readonly proxyPort: number
  readonly log: string
}

export async function openDoor({ folder, serverPort, proxyPort, log }: DoorOptions): Promise<Door> {
  const scope = createScope()
  try {
    const provider = await startIdentityProvider({
      people: [{ user: person, groups: ['testers'] }],
      accessTokenTtl: 24 * 3600,
    })
    scope.defer(() => provider.stop())
    const login = generateKeyPair()
    const keyFile = join(folder, 'login-key')
    await writeFile(keyFile, login.private, { mode: 0o600 })
    const configFile = join(folder, 'hoop.yaml')
    const targets = { listening: serverPort, proxied: proxyPort }
    await writeFile(configFile, configFor(targets, { ...provider, keyFile, store: join(folder, 'hoop.db') }))
    const onEnd = (error: Error) => console.error(error.message)
    const gateway = await startProgram(
      { args: ['gateway', '--config', configFile, '--json', '--log-file', log], env: { HOME: folder }, log, onEnd },
      gatewaySaid,
    )
    scope.defer(gateway.stop)
    const { accessToken } = await provider.tokensFor(person)
    const env = {
      HOOP_GATEWAY: gateway.said.url,
      HOOP_TOKEN: accessToken,
      XDG_STATE_HOME: folder,
      XDG_CONFIG_HOME: folder,
    }
    const connect = await startProgram(
      { args: ['connect', 'listening', '--json'], env: { ...env, HOME: folder }, log, onEnd },
      connectSaid,
    )
    scope.defer(connect.stop)
    return {
      port: connect.said.targets[0].port,
      proxyCommand: `${process.execPath} ${program} proxy proxied`,
      env,
      hostKey: await hostKeyOf(gateway.said.url, accessToken),
      login: login.public,
      close: () => scope.close(),
    }
  } catch (error) {
    await scope.close()
    throw error
  }
}

/** What the gateway tells a client command to expect. */
async function hostKeyOf(gateway: string, token: string): Promise<string> {
  const answer = await fetch(gateway + paths.targets, { headers: { authorization: `Bearer ${token}` } })
  if (!answer.ok) throw new Error(`no targets: ${await answer.text()}`)
  const [target] = z.array(targetSchema).parse(await answer.json())
  const key = target?.defaults.hostKey
  if (key === undefined) throw new Error('the gateway does not say its host key')
  return key
}

function configFor(
  targets: Readonly<Record<string, number>>,
  given: { issuer: string; clientId: string; audience: string; keyFile: string; store: string },
): string {
  return stringify({
    listen: { host: '127.0.0.1', port: 0 },
    identity: { issuer: given.issuer, clientId: given.clientId, audience: given.audience },
    store: { path: given.store },
    targets: Object.entries(targets).map(([name, port]) => ({
      name,
      protocol: 'ssh',
      host: '127.0.0.1',
      port,
      user: userInfo().username,
      secret: `file://${given.keyFile}`,
      ssh: { login: 'key', shell: 'allow', forwards: ['local', 'remote'], env: ['*'] },
      access: { groups: ['testers'] },
    })),
    rules: [
      { name: 'everything', effect: 'allow' },
      { name: 'even-what-does-not-parse', effect: 'allow', match: { unparsed: true } },
    ],
  })
}
