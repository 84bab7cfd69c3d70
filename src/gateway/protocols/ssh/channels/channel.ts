/** What every kind of channel is given besides its two ends. One file a kind: exec, shell, sftp, forward. */
import type { Clock } from '../../../../base/clock.ts'
import type { Checkpoint } from '../../../checkpoint.ts'
import type { Recordings, SshSettings } from '../../protocol.ts'
import type { ShellReader } from '../../shell/reader.ts'
import type { SessionAsked } from '../asked.ts'
import type { Client } from '../greeting.ts'
import type { Upstream } from '../upstream.ts'

export interface ChannelParts {
  readonly checkpoint: Checkpoint
  readonly recordings: Recordings
  readonly shell: ShellReader
  readonly settings: SshSettings
  readonly clock: Clock
  /**
   * Aborted when this channel, its connection or the session ends; then nothing may be waited for any more. The reason is
   * a Refusal where the client shall be told (`refusalIn`), anything else where the client itself has gone.
   */
  readonly signal: AbortSignal
}

/** The two connections that a channel belongs to. */
export interface Connections {
  readonly client: Client
  readonly upstream: Upstream
}

/**
 * Takes over a session channel that was accepted: judges, says no or runs it, and closes it with an exit. Never leaves it
 * open, and rejects only for a defect. (`relayExec`, `relayScp`, `relayShell`.)
 */
export type RelaySession = (asked: SessionAsked, connections: Connections, parts: ChannelParts) => Promise<void>
