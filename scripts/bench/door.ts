/** One gateway with a configuration of its own and one CLI before it, both as processes; and a session for who goes without the CLI. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createScope } from '../../src/base/scope.ts'
import { paths, sessionSchema } from '../../src/contract/api.ts'
import type { SampleConfig } from '../../src/demo/sample-config.ts'
import { configFor, type DoorName, targetName } from './configs.ts'
import { type Hop, startHop } from './hop.ts'

export interface Door extends Hop {
  readonly token: string
  readonly session: string
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
    const hop = await startHop(scope, {
      home: folder,
      config: configFor(door, { ...demo, port: 0, store: join(folder, 'hoop.db') }),
      token: async () => token,
      connect: [targetName, '--reason', 'benchmark'],
      gatewayFlags: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
      onEnd,
    })
    const session = await startSession(hop.gateway, token)
    return { ...hop, token, session, stop: () => scope.close() }
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
