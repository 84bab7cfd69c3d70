/**
 * HTTP: semantics RFC 9110, HTTP/1.1 RFC 9112, problems RFC 9457, WebSocket RFC 6455, Prefer RFC 7240.
 *
 *   client                        gateway                                     target
 *     │ GET /v1/charges ───────────▶│  wire.ts, request-head.ts: read strictly,   │
 *     │                             │  or 400 and the end                        │
 *     │                             │  hosts.ts: is it a program of this machine?│
 *     │                             │  bodies.ts: a body that has to be known    │
 *     │                             │  commands.ts: what is asked; clear it      │
 *     │  (held: the request waits;  │                                            │
 *     │  Prefer: respond-async: 202)│                                            │
 *     │◀── 100 (if it waits for it) │  upstream.ts: sent with the permit, built  │
 *     │ body ──────────────────────▶│  anew, with the credential                 │
 *     │                             │───────────────────────────────────────────▶│
 *     │                             │  results.ts: what of the answer may be     │
 *     │◀── head, body, as it comes ─│◀────────────────────────── head, body ─────│
 *     │                             │  run.ts: settle: status, bytes, answer     │
 *     │ GET … (the next) ──────────▶│                                            │
 *
 * serve.ts is the order of these steps for one request, relay.ts goes from one to the next. A refusal is a problem document;
 * the connection stays usable. After 101 (upgrades.ts) the bytes are another protocol's.
 */
import type { Clock } from '../../../base/clock.ts'
import type { Abilities, Protocol } from '../protocol.ts'
import { httpDialect } from './dialect.ts'
import type { Upstream } from './exchange.ts'
import type { Client } from './greeting.ts'
import { loginWith } from './login.ts'
import { createPolls } from './polls.ts'
import { createPools } from './pools.ts'
import { createProtocol } from './protocol.ts'
import { createTokens } from './tokens.ts'
import { openUpstream } from './upstream.ts'

// What kubernetes/ builds on: a dialect of its own, spoken by the same relay over the same pools.
export type {
  AnswerHead,
  Cleared,
  Dialect,
  Fields,
  OwnAnswer,
  Request,
  RequestHead,
  Results,
  Upgraded,
  Upstream,
} from './exchange.ts'
export { clientCertificateOf } from './client-certificate.ts'
export { type Client, greet } from './greeting.ts'
export { field, lines, mediaType } from './headers.ts'
export { keeperUnder } from './kept-answer.ts'
export type { Login, Pass } from './login.ts'
export { authorizationPass } from './login.ts'
export { createPolls } from './polls.ts'
export { createPools } from './pools.ts'
export { refuse } from './protocol.ts'
export { relay } from './relay.ts'
export { areLookedAt, outwardUnder, resultsUnder } from './results.ts'
export type { RelayParts } from './talk.ts'
export { openUpstream } from './upstream.ts'

/** Known without making a protocol: the config is checked against them first. */
export const abilities: Abilities = { hold: true, maskColumns: false, maskText: true, maskFields: true }

export interface HttpSettings {
  readonly clock: Clock
  /** Longest body that is judged; a longer one counts as unparsed. */
  readonly maxStatementBytes: number
  readonly connectTimeoutMs: number
  /** For the head of an answer; left out: long. */
  readonly answerTimeoutMs?: number
}

export function createHttp(settings: HttpSettings): Protocol<Client, Upstream> {
  const { clock, maxStatementBytes, connectTimeoutMs, answerTimeoutMs } = settings
  const pools = createPools(connectTimeoutMs, undefined, answerTimeoutMs)
  const loginParts = { tokens: createTokens(clock, connectTimeoutMs), elapsed: clock.elapsed }
  return createProtocol({
    abilities,
    clock,
    dialect: httpDialect,
    maxStatementBytes,
    polls: createPolls(),
    open: (target, credential) =>
      openUpstream(pools, { target, bearer: credential.bearer, login: loginWith(loginParts, target, credential) }),
  })
}
