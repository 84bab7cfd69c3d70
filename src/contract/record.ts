/**
 * One line of the audit. Records are only ever appended; each carries the hash of the one before it, so that a missing or
 * altered one shows (chain.ts). Field names are stable: `hoop logs --json` prints these objects as they are.
 */
import { z } from 'zod'
import { commandSchema, impactSchema } from './command.ts'

export const verdicts = ['allow', 'deny', 'hold'] as const
export type Verdict = (typeof verdicts)[number]

/** What policy said, and why: the rule that decided and the configuration it stood in. */
export const decisionSchema = z.object({
  verdict: z.enum(verdicts),
  /** Name of the rule that decided; null when no rule matched and the target was therefore closed. */
  rule: z.string().nullable(),
  /** One sentence for people. */
  reason: z.string(),
  /** SHA-256 of the configuration that was in force, hexadecimal. */
  config: z.string(),
})
export type Decision = Readonly<z.infer<typeof decisionSchema>>

export const personSchema = z.object({
  /** The stable name people know: e-mail by default (config: identity.userClaim). */
  user: z.string(),
  /** The issuer's `sub`. */
  subject: z.string(),
  groups: z.array(z.string()),
})
export type Person = Readonly<z.infer<typeof personSchema>>

/** How a cleared (or refused) command ended. */
export const outcomeStatuses = ['done', 'failed', 'refused', 'cancelled', 'not-run', 'unknown'] as const

/** A sample of what was shown, after masking; only where the config asks for it (audit.rows). */
export const resultSampleSchema = z.object({
  columns: z.array(z.string()),
  rows: z.array(z.array(z.string().nullable())),
  /** More rows were shown than are kept here. */
  truncated: z.boolean(),
})
export type ResultSample = Readonly<z.infer<typeof resultSampleSchema>>

/** The head of an answer, without what would let somebody in (cookies, credentials), and the beginning of its body. */
export const answerSchema = z.object({
  status: z.int(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  /** Decoded (no Content-Encoding). Absent where none is kept. */
  body: z
    .object({
      text: z.string(),
      /** `text` is base64: the body is not text. */
      base64: z.boolean(),
      /** Only the beginning is kept; outcome.bytesOut says how much there was. */
      truncated: z.boolean(),
    })
    .optional(),
  /** From the permit to the answer's head, in milliseconds. */
  firstByteMs: z.number().nonnegative(),
})
export type Answer = Readonly<z.infer<typeof answerSchema>>

export const outcomeSchema = z.object({
  /**
   * done and failed: the target said so. refused: policy, a reviewer or an unavailable audit. cancelled: the client gave
   * up. not-run: cleared, but a sibling in its batch was not; or still held when the gateway died. unknown: the gateway
   * ended before the target answered.
   */
  status: z.enum(outcomeStatuses),
  rows: z.int().nonnegative().optional(),
  /** Payload bytes sent to the target and shown to the client. */
  bytesIn: z.int().nonnegative().optional(),
  bytesOut: z.int().nonnegative().optional(),
  /** From clearance to the end, in milliseconds; waiting for an approval is not in it. */
  durationMs: z.number().nonnegative().optional(),
  /** The protocol's own code and sentence: SQLSTATE and message, with values masked. */
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  /** The protocol's own summary: `DELETE 12`. */
  summary: z.string().optional(),
  masked: z.boolean().optional(),
  result: resultSampleSchema.optional(),
  /** What was shown and typed meanwhile, kept for replay; `sha256` is that of the whole recording. */
  recording: z.object({ sha256: z.string(), bytes: z.int().nonnegative() }).optional(),
  /** A file that went through, as it went: `sha256` of its bytes in the order of their places; null where it has gaps. */
  transfer: z
    .object({ direction: z.enum(['upload', 'download']), bytes: z.int().nonnegative(), sha256: z.string().nullable() })
    .optional(),
  /** HTTP and Kubernetes: what was answered, after masking; the body up to a limit (config: audit.bodies). */
  answer: answerSchema.optional(),
})
export type Outcome = Readonly<z.infer<typeof outcomeSchema>>

/** What every record says: which, when, who, in which session. `null` where it does not apply (an admin's reload). */
const base = {
  v: z.literal(1),
  /** 1, 2, 3 … without a gap; never used twice. */
  seq: z.int().positive(),
  /** RFC 3339, UTC, milliseconds. */
  at: z.string(),
  session: z.string().nullable(),
  user: z.string(),
  subject: z.string(),
  groups: z.array(z.string()),
  /** The agent that acted for the user, if any: `devin`. */
  agent: z.string().nullable(),
  target: z.string().nullable(),
  connection: z.string().nullable(),
  /** SHA-256 over this record without this field (chain.ts), hexadecimal; `prev` is the same of the record before. */
  prev: z.string(),
  hash: z.string(),
}

const types = {
  sessionStart: z.object({
    ...base,
    type: z.literal('session.start'),
    reason: z.string().nullable(),
    targets: z.array(z.string()),
  }),
  /** why: `ended by the user`, `killed by ana@acme: runaway agent`, `gateway stopped`. */
  sessionEnd: z.object({ ...base, type: z.literal('session.end'), why: z.string() }),
  connectionStart: z.object({ ...base, type: z.literal('connection.start'), detail: z.string().nullable() }),
  connectionEnd: z.object({ ...base, type: z.literal('connection.end'), why: z.string() }),
  /** Written, and durable, before the target hears of it. `command` is its id. */
  command: z.object({
    ...base,
    type: z.literal('command'),
    command: z.string(),
    asked: commandSchema,
    decision: decisionSchema,
    /** The approval that was opened for it, if it is held. */
    approval: z.string().nullable(),
  }),
  /** One reviewer's decision. user, subject and groups are the reviewer's; `session` is the one that asked. */
  approvalDecision: z.object({
    ...base,
    type: z.literal('approval.decision'),
    approval: z.string(),
    decision: z.enum(['approve', 'deny']),
    reason: z.string().nullable(),
    /** What was decided about (api.ts: Approval.digest). */
    digest: z.string(),
  }),
  /** The end of an approval; durable before a granted command is forwarded. */
  approvalEnd: z.object({
    ...base,
    type: z.literal('approval.end'),
    approval: z.string(),
    end: z.enum(['approved', 'denied', 'expired', 'cancelled']),
    why: z.string(),
    impact: impactSchema.optional(),
  }),
  outcome: z.object({ ...base, type: z.literal('outcome'), command: z.string(), outcome: outcomeSchema }),
  /** `session.kill`, `config.reload`, `config.refused`, `gateway.start`, `gateway.stop`, `login.refused`, `target-key.taken`. */
  admin: z.object({ ...base, type: z.literal('admin'), action: z.string(), detail: z.string() }),
} as const

export const recordSchema = z.discriminatedUnion('type', [
  types.sessionStart,
  types.sessionEnd,
  types.connectionStart,
  types.connectionEnd,
  types.command,
  types.approvalDecision,
  types.approvalEnd,
  types.outcome,
  types.admin,
])
export type AuditRecord = Readonly<z.infer<typeof recordSchema>>
export type RecordType = AuditRecord['type']
export type RecordOf<T extends RecordType> = Extract<AuditRecord, { type: T }>

/** What one hands to the audit: everything but what the audit itself gives (number, time, chain). */
export type RecordDraft = AuditRecord extends infer R
  ? R extends AuditRecord
    ? Omit<R, 'v' | 'seq' | 'at' | 'prev' | 'hash'>
    : never
  : never
