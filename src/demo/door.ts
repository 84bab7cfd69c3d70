/** Opens the demo's target for one of its people, as `hoop connect pg-prod` does. */
import { hoopError } from '../contract/error-codes.ts'
import { createLink } from '../gateway-client/link.ts'
import { openTunnel } from '../tunnel/agent.ts'
import { createPorts } from '../tunnel/ports.ts'
import type { Tunnel, TunnelEvent } from '../tunnel/tunnel.ts'
import type { Member } from './member.ts'

export interface OpenDoor extends Pick<Tunnel, 'session' | 'done' | 'close'> {
  readonly url: string
  readonly port: number
  /** The psql line to type. */
  readonly command: string
}

export interface DoorOptions {
  readonly reason: string | null
  readonly agent: string | null
  readonly notify?: (event: TunnelEvent) => void
}

export async function openPgProd(member: Member, { reason, agent, notify = () => {} }: DoorOptions): Promise<OpenDoor> {
  const { client, runtime } = member
  const { gateway, tokens } = await runtime.door(undefined)
  const link = createLink({ gateway, token: () => tokens.token() })
  const tunnel = await openTunnel({
    client,
    link,
    targets: ['pg-prod'],
    reason,
    agent,
    ports: createPorts({ folder: runtime.paths.state, gateway }),
    signal: runtime.signal,
    notify,
  }).catch((error: unknown) => {
    link.close()
    throw error
  })
  const [open] = tunnel.targets
  if (open === undefined) throw hoopError('internal', 'the tunnel has no target')
  return {
    session: tunnel.session,
    done: tunnel.done,
    url: open.url,
    port: open.port,
    command: open.command,
    close: async () => {
      await tunnel.close()
      link.close()
    },
  }
}
