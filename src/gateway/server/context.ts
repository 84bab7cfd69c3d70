/** What the server is given, and what every route is given of it. */
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Log } from '../../base/log.ts'
import type { WellKnown } from '../../contract/api.ts'
import { hoopError } from '../../contract/error-codes.ts'
import type { Approvals } from '../approvals/approvals.ts'
import type { Audit } from '../audit/audit.ts'
import type { KeptRecordings } from '../audit/recordings.ts'
import type { Config } from '../config/schema.ts'
import type { Caller } from '../identity/caller.ts'
import type { CheckedIdentity } from '../identity/identity.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { ServerMetrics } from './metrics.ts'
import type { TurnedAway } from './turned-away.ts'

export interface ServerOptions {
  readonly listen: Config['listen']
  readonly identity: CheckedIdentity
  readonly sessions: Sessions
  readonly approvals: Approvals
  readonly audit: Audit
  readonly recordings: KeptRecordings
  /** Asked at every request: a reload may change it. */
  readonly wellKnown: () => WellKnown
  readonly version: string
  readonly log: Log
  readonly metrics: ServerMetrics
  /** Between heartbeats of streams; 15 s unless said otherwise. */
  readonly beatMs?: number
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null on routes that are open to everyone. */
    caller: Caller | null
  }
  interface FastifyContextConfig {
    /** Answers without a token. */
    open?: boolean
  }
}

export type Api = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>

/** What routes are given. */
export interface RouteContext extends ServerOptions {
  readonly beatMs: number
  readonly turnedAway: TurnedAway
  /** Aborted when the server closes: streams must then end. */
  readonly closing: AbortSignal
}

export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw hoopError('sign-in-needed', 'no sign-in was sent')
  return request.caller
}

/** `paths` of the contract as route patterns: their functions escape the colon of `:id`. */
export function pattern(path: string): string {
  return decodeURIComponent(path)
}
