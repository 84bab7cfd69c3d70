/** One gateway with a configuration of its own and one CLI before it, both as processes; and a session for who goes without the CLI. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createScope } from '../../src/base/scope.ts'
import { paths, sessionSchema } from '../../src/contract/api.ts'
import type { SampleConfig } from '../../src/demo/sample-config.ts'
import { configFor, type DoorName, targetName } from './configs.ts'
import { connectSaid, gatewaySaid, startProgram } from './program.ts'

export interface Door {
  /** The gateway's URL. */
  readonly gateway: string
  readonly token: string
  readonly session: string
  /** Where the CLI listens. */
  readonly port: number
  readonly pids: { readonly gateway: number; readonly cli: number }
  /** What a CLI is started with to use this gateway. */
  readonly env: Readonly<Record<string, string>>
  readonly log: string
  stop(): Promise<void>
}

export interface DoorOptions {
  readonly door: DoorName
  readonly folder: string
  readonly demo: Omit<SampleConfig, 'port' | 'store'>
  readonly token: string
  /** Where the gateway's threads leave their CPU profiles when it stops. */
  readonly profile?: string
  /** Told if one of the two processes ends without being stopped. */
  readonly onEnd: (error: Error) => void
}

export async function openDoor({ door, folder, demo, token, profile, onEnd }: DoorOptions): Promise<Door> {
  const scope = createScope()
  try {
    await mkdir(folder, { mode: 0o700 })
    const configFile = join(folder, 'hoop.yaml')
    const log = join(folder, 'hoop.log')
    await writeFile(configFile, configFor(door, { ...demo, port: 0, store: join(folder, 'hoop.db') }), { mode: 0o600 })
    const gateway = await startProgram(
      {
        args: ['gateway', '--config', configFile, '--json', '--log-file', log],
        env: { HOME: folder },
        log,
        flags: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
        onEnd,
      },
      gatewaySaid,
    )
    scope.defer(gateway.stop)
    const { url } = gateway.said
    const env = { HOME: folder, HOOP_GATEWAY: url, HOOP_TOKEN: token, XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder }
    const cli = await startProgram(
      { args: ['connect', targetName, '--json', '--reason', 'benchmark'], env, log, onEnd },
      connectSaid,
    )
    scope.defer(cli.stop)
    const [{ port }] = cli.said.targets
    const session = await startSession(url, token)
    return {
      gateway: url,
      token,
      session,
      port,
      pids: { gateway: gateway.pid, cli: cli.pid },
      env,
      log,
      stop: () => scope.close(),
    }
  } catch (error) {
    await scope.close()
    throw error
  }
}

async function startSession(gateway: string, token: string): Promise<string> {
  const answer = await fetch(gateway + paths.sessions, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ targets: [targetName], reason: 'benchmark', agent: null }),
  })
  if (!answer.ok) throw new Error(`no session: ${await answer.text()}`)
  return sessionSchema.parse(await answer.json()).id
}
