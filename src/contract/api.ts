/**
 * The gateway's API, as schemas: the routes are built from these, the OpenAPI document is made from them, and the client
 * parses answers with them. All times are RFC 3339 UTC strings; all lists are newest last unless said otherwise.
 */
import { z } from 'zod'
import { commandSchema, impactSchema, protocolNames } from './command.ts'
import { linkPaths } from './link.ts'
import { decisionSchema, verdicts } from './record.ts'

export const wellKnownSchema = z.object({
  /** OIDC issuer URL; its discovery document says the rest. */
  issuer: z.string(),
  /** The public client (no secret) for the device flow. */
  clientId: z.string(),
  /** Asked for as `resource`/`audience` where the issuer wants it; null otherwise. */
  audience: z.string().nullable(),
  scopes: z.array(z.string()),
  /** The gateway's version. */
  version: z.string(),
  api: z.literal('v1'),
})
export type WellKnown = z.infer<typeof wellKnownSchema>

export const apiErrorSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().nullable() }),
})
export type ApiError = z.infer<typeof apiErrorSchema>

export const roles = ['admin', 'auditor'] as const

export const meSchema = z.object({
  user: z.string(),
  subject: z.string(),
  groups: z.array(z.string()),
  /** admin: may kill sessions and see all. auditor: may see all. Approving follows the rules, not a role. */
  roles: z.array(z.enum(roles)),
  version: z.string(),
  /** When the presented token ends. */
  expires: z.string(),
})
export type Me = z.infer<typeof meSchema>

export const targetSchema = z.object({
  name: z.string(),
  protocol: z.enum(protocolNames),
  labels: z.record(z.string(), z.string()),
  description: z.string().nullable(),
  /** null: may be used. Otherwise one sentence why not. */
  whyNot: z.string().nullable(),
  /** What a client command needs to know; protocol-specific, never a secret: `{database, user}`. */
  defaults: z.record(z.string(), z.string()),
})
export type TargetInfo = z.infer<typeof targetSchema>

export const createSessionSchema = z.object({
  targets: z.array(z.string()).min(1),
  reason: z.string().max(1000).nullable(),
  agent: z.string().max(100).nullable(),
})
export type CreateSession = z.infer<typeof createSessionSchema>

/** Answer of GET /v1/targets. */
export const targetsSchema = z.array(targetSchema)

/** Body of POST kill. */
export const killSchema = z.object({ reason: z.string().max(1000) })

export const sessionSchema = z.object({
  id: z.string(),
  user: z.string(),
  agent: z.string().nullable(),
  reason: z.string().nullable(),
  targets: z.array(z.string()),
  started: z.string(),
  ended: z.string().nullable(),
  why: z.string().nullable(),
  /** Open connections now. */
  connections: z.int(),
  commands: z.int(),
})
export type Session = z.infer<typeof sessionSchema>

/** Query and answer of GET /v1/sessions. */
export const sessionsQuerySchema = z.object({
  live: z.enum(['true', 'false']).default('false'),
  limit: z.coerce.number().int().positive().max(1000).default(100),
})
export const sessionsSchema = z.array(sessionSchema)

/** One line of GET /v1/sessions/:id/end, which comes when the session ends. */
export const sessionEndSchema = z.object({
  /** `killed`: by an admin or from elsewhere. `cancelled`: by its owner, or because nobody was there any more. */
  code: z.enum(['killed', 'cancelled']),
  message: z.string(),
  next: z.string(),
})
export type SessionEnd = z.infer<typeof sessionEndSchema>

export const recordingStates = ['live', 'ended', 'broken'] as const

/** What was shown and typed while a command ran, kept for replay. */
export const recordingSchema = z.object({
  /** The command's id. */
  command: z.string(),
  /** What ran: `shell`, `tar c /srv`. */
  title: z.string(),
  started: z.string(),
  /** Of the file, so far. */
  bytes: z.int().nonnegative(),
  /** The terminal's size at the beginning, in character cells. */
  width: z.int().positive(),
  height: z.int().positive(),
  /** live: it goes on. broken: the gateway stopped without warning; it shows what there was up to then. */
  state: z.enum(recordingStates),
})
export type Recording = z.infer<typeof recordingSchema>

/** Answer of GET /v1/sessions/:id/recordings: oldest first. */
export const recordingsSchema = z.array(recordingSchema)

export const approvalStates = ['pending', 'approved', 'denied', 'expired', 'cancelled'] as const

export const approvalSchema = z.object({
  id: z.string(),
  state: z.enum(approvalStates),
  /** SHA-256 over (texts, parameters, target, session): a decision must name it, so nobody approves what they did not see. */
  digest: z.string(),
  session: z.string(),
  user: z.string(),
  agent: z.string().nullable(),
  /** Why the session was opened. */
  reason: z.string().nullable(),
  target: z.string(),
  protocol: z.enum(protocolNames),
  /** What is held, in order: a batch is decided as one. */
  commands: z.array(z.object({ id: z.string(), asked: commandSchema, decision: decisionSchema })).min(1),
  /** All must be met: `count` distinct people of these groups. */
  needs: z.array(z.object({ rule: z.string(), groups: z.array(z.string()), count: z.int().positive() })),
  decisions: z.array(
    z.object({
      user: z.string(),
      decision: z.enum(['approve', 'deny']),
      reason: z.string().nullable(),
      at: z.string(),
    }),
  ),
  /** null until it was fetched. */
  impact: impactSchema.nullable(),
  /** Earlier commands of the same session, oldest first, one line each. */
  earlier: z.array(z.object({ at: z.string(), text: z.string(), verdict: z.enum(verdicts) })),
  created: z.string(),
  expires: z.string(),
  ended: z.string().nullable(),
  /** May the person asking decide? null: yes. Otherwise one sentence why not. */
  whyNot: z.string().nullable(),
  /** The word a reviewer has to type before a destructive approval; null where none is asked. */
  confirm: z.string().nullable(),
})
export type Approval = z.infer<typeof approvalSchema>

/** Query and answer of GET /v1/approvals. */
export const approvalsQuerySchema = z.object({ state: z.enum([...approvalStates, 'all']).default('pending') })
export const approvalsSchema = z.array(approvalSchema)

export const decideSchema = z.object({
  decision: z.enum(['approve', 'deny']),
  reason: z.string().max(1000).nullable(),
  digest: z.string(),
})
export type Decide = z.infer<typeof decideSchema>

/** One line of GET /v1/approvals/events: all pending ones first, then each change; an approval that ended comes once more. */
export const approvalEventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('snapshot'), approvals: z.array(approvalSchema) }),
  z.object({ event: z.literal('changed'), approval: approvalSchema }),
  z.object({ event: z.literal('beat') }),
])
export type ApprovalEvent = z.infer<typeof approvalEventSchema>

/** Query of GET /v1/records and /v1/records/follow. `after`: only records with a greater number. */
export const recordFilterSchema = z.object({
  after: z.coerce.number().int().nonnegative().optional(),
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  /** The last N that fit. */
  tail: z.coerce.number().int().positive().max(10_000).optional(),
  limit: z.coerce.number().int().positive().max(10_000).optional(),
  session: z.string().optional(),
  target: z.string().optional(),
  user: z.string().optional(),
  verdict: z.enum(verdicts).optional(),
  type: z.string().optional(),
})
export type RecordFilter = z.infer<typeof recordFilterSchema>

/**
 * Paths of the API. GET reads, POST does (start a session, end, kill, decide); end and kill answer 204 without a body, the
 * others with the session or approval as it now is. Records come as NDJSON, each line exactly as it was sealed (chain.ts);
 * empty lines are heartbeats. A recording comes as the file it is (asciicast.ts).
 * A link carries connections to targets. It is a socket that `GET links` upgraded to `linkProtocol` (base/link/frames.ts),
 * with a stream for each connection, opened by what `openLinkSchema` says; or a WebSocket at `link(target)` for each, whose
 * binary messages are the bytes, whose text message `end` says that this direction is done, and which carries `headers`
 * (link.ts has them).
 */
export const paths = {
  wellKnown: '/.well-known/hoop',
  me: '/v1/me',
  targets: '/v1/targets',
  sessions: '/v1/sessions',
  session: (id: string) => `/v1/sessions/${encodeURIComponent(id)}`,
  endSession: (id: string) => `/v1/sessions/${encodeURIComponent(id)}/end`,
  killSession: (id: string) => `/v1/sessions/${encodeURIComponent(id)}/kill`,
  recordings: (session: string) => `/v1/sessions/${encodeURIComponent(session)}/recordings`,
  recording: (session: string, command: string) =>
    `/v1/sessions/${encodeURIComponent(session)}/recordings/${encodeURIComponent(command)}`,
  approvals: '/v1/approvals',
  approval: (id: string) => `/v1/approvals/${encodeURIComponent(id)}`,
  decide: (id: string) => `/v1/approvals/${encodeURIComponent(id)}/decision`,
  approvalEvents: '/v1/approvals/events',
  records: '/v1/records',
  followRecords: '/v1/records/follow',
  ...linkPaths,
} as const

export const loneSessionSchema = createSessionSchema.omit({ targets: true })

/** What a stream of a link is opened with. Who leaves something out is told what, as over HTTP. */
export const openLinkSchema = z.object({
  target: z.string(),
  session: z.string().optional(),
  /** Instead of a session there is: one that begins and ends with this connection. */
  start: loneSessionSchema.optional(),
  token: z.string().optional(),
})
export type OpenLink = z.infer<typeof openLinkSchema>
