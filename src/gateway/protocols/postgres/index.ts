/**
 * PostgreSQL's frontend/backend protocol, version 3.0.
 *
 * The manual: https://www.postgresql.org/docs/current/protocol.html (chapter "Frontend/Backend Protocol"), in it
 * "Message Flow" (what may follow what), "Message Formats" (the bytes) and "Message Flow / Pipelining" (groups up to a Sync).
 *
 *   client                        gateway                                   target
 *     │ GSSENCRequest/SSLRequest    │  greeting.ts                              │
 *     │────────────────────────────▶│                                          │
 *     │◀──────────── 'N' ───────────│  (the link is encrypted already)         │
 *     │ StartupMessage              │  upstream.ts: dial, TLS, log in          │
 *     │────────────────────────────▶│─────────────────────────────────────────▶│
 *     │◀── AuthenticationOk … Z ────│◀──────────── SCRAM … ReadyForQuery ──────│
 *     │ Query / Parse Bind Execute  │  asked.ts: understand (commands.ts),     │
 *     │────────────────────────────▶│  clear at the checkpoint,                │
 *     │◀── NoticeResponse (held) ───│  forward with the permit (outward.ts)    │
 *     │                             │─────────────────────────────────────────▶│
 *     │                             │  answers.ts: match with what was asked   │
 *     │◀── rows, CommandComplete ───│◀─────────────────────────────────────────│
 *     │                             │  (masked by results.ts), settle the run  │
 *
 * A refused command is not forwarded; something that always fails is sent in its place, so that the target aborts the
 * transaction and everything up to the client's Sync, and its error is shown to the client in the refusal's words.
 */
import type { Clock } from '../../../base/clock.ts'
import type { Protocol } from '../protocol.ts'
import { createCancelKeys } from './cancel.ts'
import { createStatementReader } from './commands.ts'
import type { Client } from './greeting.ts'
import { askImpact } from './impact.ts'
import { createProtocol } from './protocol.ts'
import { createResultMaskers } from './results.ts'
import { createCatalogs } from './sql/catalog.ts'
import type { Upstream } from './upstream.ts'

export { abilities } from './protocol.ts'

export interface PostgresSettings {
  readonly clock: Clock
  /** Longest statement that is judged; a longer one counts as unparsed. */
  readonly maxStatementBytes: number
  /** Longest row or COPY line that is looked at for masks; a longer one is withheld where a mask applies. */
  readonly maxRowBytes?: number
  readonly connectTimeoutMs: number
}

const defaultRowBytes = 16 * 1024 * 1024

export function createPostgres(settings: PostgresSettings): Protocol<Client, Upstream> {
  const { clock, maxStatementBytes, maxRowBytes = defaultRowBytes, connectTimeoutMs } = settings
  const reader = createStatementReader({ maxStatementBytes })
  // Whoever needs it awaits it; a parser that does not load must not end the process before anybody asks.
  reader.catch(() => undefined)
  return createProtocol({
    clock,
    limits: { statementBytes: maxStatementBytes, rowBytes: maxRowBytes },
    keys: createCancelKeys(),
    connectTimeoutMs,
    reader,
    impact: askImpact,
    catalogs: createCatalogs({ now: () => clock.elapsed() }),
    createMasker: createResultMaskers(() => clock.elapsed()),
  })
}
