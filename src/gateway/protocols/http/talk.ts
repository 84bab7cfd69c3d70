/** What the parts of one conversation share. */
import type { Clock } from '../../../base/clock.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Conversation } from '../protocol.ts'
import type { Dialect, Upstream } from './exchange.ts'
import type { Client } from './greeting.ts'
import type { Polls } from './polls.ts'

export interface RelayParts {
  readonly clock: Clock
  readonly dialect: Dialect
  /** Longest body that is read whole, to be judged or (respond-async) kept. */
  readonly maxStatementBytes: number
  readonly polls: Polls
}

export interface Talk {
  readonly parts: RelayParts
  readonly client: Client
  readonly upstream: Upstream
  readonly conversation: Conversation
  /** What the end of the session, or of the client, does to the request that is under way on this connection. */
  underway: { kill(refusal: Refusal): void; cancel(): void } | undefined
  /** Requests that go on without their connection, and what the end of the session does to them. */
  readonly apart: Set<{ kill(refusal: Refusal): void }>
  /** They are over when these resolve. */
  readonly endings: Promise<void>[]
}
