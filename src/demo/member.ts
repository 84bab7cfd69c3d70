/** One of the demo's people at a terminal of their own: signed in by the real device flow, with a state folder apart. */
import { join } from 'node:path'
import type { Me } from '../contract/api.ts'
import type { GatewayClient } from '../gateway-client/client.ts'
import { chooseStore } from '../gateway-client/secret-store.ts'
import { signInByDevice } from '../gateway-client/sign-in.ts'
import { createRuntime, type Runtime } from '../runtime.ts'
import type { DemoUser } from './people.ts'
import type { World } from './world.ts'

export interface Member {
  readonly me: Me
  readonly client: GatewayClient
  /** What any hoop command needs to act as this person. */
  readonly runtime: Runtime
  /** The same for a shell: `XDG_STATE_HOME=/tmp/hoop-demo-…/dba`. */
  readonly prefix: string
}

export async function signIn(world: World, user: DemoUser, outer: Runtime, signal: AbortSignal): Promise<Member> {
  const folder = join(world.folder, user.split('@')[0] ?? user)
  const runtime = createRuntime({
    // Nothing of the person's own settings: neither their gateway nor their token.
    env: { ...withoutOwn(outer.env), XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder, HOOP_TOKEN_STORE: 'file' },
    io: outer.io,
    home: folder,
    program: outer.program,
    version: outer.version,
    signal,
    takeSignals: outer.takeSignals,
    platform: outer.platform,
    clock: outer.clock,
  })
  const asked = await runtime.door(world.gateway)
  const issuer = await asked.client.wellKnown()
  const confirmed: Promise<void>[] = []
  const tokens = await signInByDevice(issuer, {
    signal,
    now: () => outer.clock.now(),
    onCode: ({ completeUrl, url }) => confirmed.push(world.provider.confirmDevice(completeUrl ?? url, user)),
  })
  await Promise.all(confirmed)
  const { store } = await chooseStore(runtime.stores())
  const keeper = await runtime.keeper()
  const { issuer: name, clientId, audience, scopes } = issuer
  await keeper.keep(asked.gateway, { issuer: name, clientId, audience, scopes, user }, tokens, store)

  const { client } = await runtime.door(undefined)
  return { me: await client.me(), client, runtime, prefix: `XDG_STATE_HOME=${folder}` }
}

function withoutOwn(env: Runtime['env']): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HOOP_')))
}
