/**
 * SSH: transport RFC 4253, authentication RFC 4252, connection RFC 4254, their words RFC 4251; OpenSSH's additions in its
 * PROTOCOL and PROTOCOL.certkeys (https://www.openssh.com/specs.html).
 *
 *   client                        gateway                                   target
 *     │ key exchange                │  greeting.ts: the gateway's own host key  │
 *     │◀───────────────────────────▶│                                          │
 *     │ auth "none" ───────────────▶│  (the link has said who it is)           │
 *     │                             │  upstream.ts: dial; host-keys.ts: is it  │
 *     │                             │  the target?; login.ts: password, key    │
 *     │                             │  or a certificate made for this one      │
 *     │                             │─────────────────────────────────────────▶│
 *     │ session; pty, env, exec ───▶│  asked.ts: accepted at once, judged after │
 *     │                             │  channels/exec.ts: understand the line,  │
 *     │◀── stderr: held, who, until │  clear it at the checkpoint,             │
 *     │                             │  run it with the permit (program.ts)     │
 *     │                             │─────────────────────────────────────────▶│
 *     │◀── output, stderr (masked) ─│◀──────────── output, stderr ─────────────│
 *     │◀── exit status, close ──────│◀──────────── exit status, close ─────────│
 *     │                             │  settle: status, bytes, recording        │
 *
 * Both connections end here: nothing that a client sends reaches a target unread. Each kind of channel is a file of its own
 * in channels/; what has none (agent forwarding, X11, sockets) is refused by not being listened for.
 */
import type { Clock } from '../../../base/clock.ts'
import type { Protocol } from '../protocol.ts'
import { createShellReader } from '../shell/reader.ts'
import type { Client } from './greeting.ts'
import type { TargetKeys } from './host-keys.ts'
import { createProtocol } from './protocol.ts'
import type { Upstream } from './upstream.ts'

export { fingerprintOf, publicKeyOf, type TargetKeys } from './host-keys.ts'
export { generateKeyPair } from './key-pair.ts'
export { abilities } from './protocol.ts'

export interface SshSettings {
  readonly clock: Clock
  /** Longest command line that is judged; a longer one counts as unparsed. */
  readonly maxStatementBytes: number
  readonly connectTimeoutMs: number
  /** The gateway's own private key, ed25519. */
  readonly hostKey: string
  readonly targetKeys: TargetKeys
}

export function createSsh(settings: SshSettings): Protocol<Client, Upstream> {
  const { maxStatementBytes, ...rest } = settings
  const reader = createShellReader({ maxBytes: maxStatementBytes })
  // Whoever needs it awaits it; a parser that does not load must not end the process before anybody asks.
  reader.catch(() => undefined)
  return createProtocol({ ...rest, reader })
}
