/**
 * Streams to a pod: exec, attach and port-forward, over an upgraded connection. Both ends speak the protocol that they agreed
 * on, and the gateway speaks it with each of them: what it does not understand does not pass.
 *
 *   client ──▶ carrier (WebSocket, SPDY) ──▶ channels ──▶ judged, masked, recorded ──▶ channels ──▶ carrier ──▶ target
 *
 * docs/decisions/kubernetes-streams.md says what of it can be seen and what cannot.
 */
import { randomBytes } from 'node:crypto'
import { hoopError } from '../../../../contract/error-codes.ts'
import type { Upgraded } from '../../http/index.ts'
import { createMaskKeys } from '../../wire/websocket.ts'
import type { StreamsAsked } from './asked.ts'
import { bareCarrier, createWebSocketCarrier } from './carrier.ts'
import { createChannelForward } from './channel-forward.ts'
import type { ForwardTongue } from './forward-tongue.ts'
import { type Chosen, chosenBy } from './negotiation.ts'
import { relayPortForward } from './port-forward.ts'
import { type RemoteCommandParts, relayRemoteCommand } from './remote-command.ts'
import { createSpdyForward } from './spdy-forward.ts'
import { createSpdyTongue } from './spdy-tongue.ts'
import type { Tongue } from './tongue.ts'
import { createWebSocketTongue } from './websocket-tongue.ts'

/** Until both ends are closed; the permit is settled then. */
export async function relayStreams(upgraded: Upgraded, asked: StreamsAsked, parts: RemoteCommandParts): Promise<void> {
  const { cleared, answer, client, upstream, conversation } = upgraded
  const chosen = chosenBy(answer.fields, cleared.request.head.upgrade, asked.kind)
  if (chosen === undefined) {
    // Fail closed: the client would take it for what it asked for.
    for (const end of [client, upstream]) end.destroy()
    const message = 'the target goes on with a protocol that was not offered to it'
    conversation.checkpoint.settle(cleared.permit, { status: 'failed', error: { code: 'protocol-error', message } })
    throw hoopError('target-refused', message)
  }
  if (asked.kind === 'portforward') await relayPortForward(upgraded, forwardTongue(chosen, asked.ports))
  else await relayRemoteCommand(upgraded, asked, commandTongue(chosen), parts)
}

function commandTongue(chosen: Chosen): Tongue {
  if (chosen.carrier === 'websocket') return createWebSocketTongue(chosen.version, createMaskKeys(randomBytes))
  return createSpdyTongue(chosen.carrier === 'spdy' ? chosen.error : 'status')
}

function forwardTongue({ carrier }: Chosen, ports: readonly number[]): ForwardTongue {
  if (carrier === 'websocket') return createChannelForward(ports, createMaskKeys(randomBytes))
  return createSpdyForward(carrier === 'tunnel' ? createWebSocketCarrier(createMaskKeys(randomBytes)) : bareCarrier)
}
