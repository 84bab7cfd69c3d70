/** `hoop gateway` with a configuration and a `hoop connect` before it, both as processes, as people have them. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Scope } from '../../src/base/scope.ts'
import { connectSaid, gatewaySaid, startProgram } from './program.ts'

export interface HopWish {
  /** Of both; what they write down stays in it. */
  readonly home: string
  /** Text of the configuration. */
  readonly config: string
  /** An access token; asked for once the gateway is there. */
  token(): Promise<string>
  /** Behind `hoop connect`. */
  readonly connect: readonly string[]
  /** Of Node. */
  readonly gatewayFlags: readonly string[]
  readonly cliFlags?: readonly string[]
  /** Told if one of the two ends without being stopped. */
  readonly onEnd: (error: Error) => void
}

export interface Hop {
  /** The gateway's URL. */
  readonly gateway: string
  /** Where the CLI listens. */
  readonly port: number
  readonly pids: { readonly gateway: number; readonly cli: number }
  /** What a CLI is started with to use this gateway. */
  readonly env: Readonly<Record<string, string>>
  readonly log: string
}

export async function startHop(scope: Scope, wish: HopWish): Promise<Hop> {
  const { home, config, token, connect, gatewayFlags, cliFlags, onEnd } = wish
  const configFile = join(home, 'hoop.yaml')
  const log = join(home, 'hoop.log')
  await writeFile(configFile, config, { mode: 0o600 })
  const gateway = await startProgram(
    {
      args: ['gateway', '--config', configFile, '--json', '--log-file', log],
      env: { HOME: home },
      log,
      flags: gatewayFlags,
      onEnd,
    },
    gatewaySaid,
  )
  scope.defer(gateway.stop)
  const { url } = gateway.said
  const env = { HOME: home, HOOP_GATEWAY: url, HOOP_TOKEN: await token(), XDG_STATE_HOME: home, XDG_CONFIG_HOME: home }
  const flags = cliFlags === undefined ? {} : { flags: cliFlags }
  const cli = await startProgram({ args: ['connect', ...connect, '--json'], env, log, ...flags, onEnd }, connectSaid)
  scope.defer(cli.stop)
  return { gateway: url, port: cli.said.targets[0].port, pids: { gateway: gateway.pid, cli: cli.pid }, env, log }
}
