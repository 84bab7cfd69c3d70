/** Opens the demo's targets for one of its people, as `hoop connect pg-prod ssh-demo api-demo` does. */
import { hoopError } from '../contract/error-codes.ts'
import { createLink } from '../gateway-client/link.ts'
import { openTunnel } from '../tunnel/agent.ts'
import { createPorts } from '../tunnel/ports.ts'
import { knownHostsPath, sshFolder } from '../tunnel/ssh-files.ts'
import type { OpenTarget, Tunnel, TunnelEvent } from '../tunnel/tunnel.ts'
import type { Member } from './member.ts'

export interface OpenDoor extends Pick<Tunnel, 'session' | 'done' | 'close'> {
  readonly postgres: OpenTarget
  readonly ssh: OpenTarget
  readonly api: OpenTarget
}

export interface DoorOptions {
  readonly reason: string | null
  readonly agent: string | null
  readonly notify?: (event: TunnelEvent) => void
}

export async function openTargets(
  member: Member,
  { reason, agent, notify = () => {} }: DoorOptions,
): Promise<OpenDoor> {
  const { client, runtime } = member
  const { gateway, tokens } = await runtime.door(undefined)
  const link = createLink({ gateway, token: () => tokens.token() })
  const tunnel = await openTunnel({
    client,
    link,
    targets: ['pg-prod', 'ssh-demo', 'api-demo'],
    reason,
    agent,
    ports: createPorts({ folder: runtime.paths.state, gateway }),
    knownHosts: knownHostsPath(sshFolder(runtime.paths.state, gateway)),
    signal: runtime.signal,
    notify,
  }).catch((error: unknown) => {
    link.close()
    throw error
  })
  const [postgres, ssh, api] = tunnel.targets
  if (postgres === undefined || ssh === undefined || api === undefined)
    throw hoopError('internal', 'the tunnel has not all targets')
  return {
    session: tunnel.session,
    done: tunnel.done,
    postgres,
    ssh,
    api,
    close: async () => {
      await tunnel.close()
      link.close()
    },
  }
}
