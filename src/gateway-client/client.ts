/**
 * The one way to the gateway's API: a method for every route of contract/api.ts, answers checked against its schemas,
 * failures as errors of the table, streams that survive lost connections. The CLI, the screens and the tests use it.
 */
import type { ZodType } from 'zod'
import {
  type Approval,
  type ApprovalEvent,
  approvalEventSchema,
  approvalSchema,
  approvalsSchema,
  type CreateSession,
  type Decide,
  type Me,
  meSchema,
  paths,
  type RecordFilter,
  type Recording,
  recordingsSchema,
  type Session,
  type SessionEnd,
  sessionEndSchema,
  sessionSchema,
  sessionsSchema,
  type TargetInfo,
  targetsSchema,
  type WellKnown,
  wellKnownSchema,
} from '../contract/api.ts'
import { hoopError } from '../contract/error-codes.ts'
import { type AuditRecord, recordSchema } from '../contract/record.ts'
import { type Ask, broken, createHttp } from './http.ts'
import { linesOf } from './lines.ts'
import { type Steady, steadyStream } from './steady.ts'
import type { TokenSource } from './token-source.ts'

/** A record, and the line it was sealed as (chain.ts proves lines, not objects). */
export interface SealedRecord {
  readonly line: string
  readonly record: AuditRecord
}

export interface GatewayClient {
  readonly url: string
  wellKnown(): Promise<WellKnown>
  me(): Promise<Me>
  targets(): Promise<readonly TargetInfo[]>
  startSession(wish: CreateSession): Promise<Session>
  /** Newest last. */
  sessions(only: { readonly live: boolean; readonly limit: number }): Promise<readonly Session[]>
  session(id: string): Promise<Session>
  /** Waits, across lost connections, until the session has ended; undefined: the signal ended first. */
  sessionEnd(id: string, steady: Steady): Promise<SessionEnd | undefined>
  endSession(id: string): Promise<void>
  killSession(id: string, reason: string): Promise<void>
  /** Newest first. */
  approvals(state: Approval['state'] | 'all'): Promise<readonly Approval[]>
  approval(id: string): Promise<Approval>
  decide(id: string, wish: Decide): Promise<Approval>
  /** A snapshot, then changes; after a lost connection a snapshot again. Beats are kept out. Ends with the signal. */
  watchApprovals(steady: Steady): AsyncGenerator<ApprovalEvent>
  /** What is there now, oldest first. */
  records(filter: RecordFilter, signal?: AbortSignal): AsyncGenerator<SealedRecord>
  /** The same as they were sealed, unread: for proving the chain. */
  lines(filter: RecordFilter, signal?: AbortSignal): AsyncGenerator<string>
  /** What is there, then what comes, across lost connections without a gap or a repeat. Ends with the signal. */
  followRecords(filter: RecordFilter, steady: Steady): AsyncGenerator<SealedRecord>
  /** A session's, oldest first. */
  recordings(session: string): Promise<readonly Recording[]>
  /** One, as the file it is (contract/asciicast.ts). A live one comes as it is up to now. */
  recording(session: string, command: string, signal?: AbortSignal): AsyncGenerator<Uint8Array>
  close(): Promise<void>
}

export interface GatewayClientOptions {
  readonly url: string
  readonly token: TokenSource
  /** An HTTP proxy's URL (proxy.ts reads it out of the environment). */
  readonly proxy?: string | undefined
}

/** Longer than two heartbeats of the gateway: silence beyond is a dead connection, not a quiet one. */
const streamSilenceMs = 45_000

export function createGatewayClient({ url, token, proxy }: GatewayClientOptions): GatewayClient {
  const http = createHttp({ gateway: url, tokens: token, proxy })

  async function ask<T>(schema: ZodType<T>, question: Ask): Promise<T> {
    const answer = await http.send(question)
    const text = await answer.body.text().catch((error: unknown) => {
      throw broken(http.way, error, question.signal)
    })
    return parsed(schema, text, question.path)
  }

  async function tell(question: Ask): Promise<void> {
    const answer = await http.send(question)
    await answer.body.dump()
  }

  async function openLines(question: Ask): Promise<AsyncGenerator<string>> {
    const answer = await http.send({ silenceMs: streamSilenceMs, ...question })
    return (async function* () {
      try {
        // An empty line is a heartbeat.
        for await (const line of linesOf(answer.body)) if (line !== '') yield line
      } catch (error) {
        throw broken(http.way, error, question.signal)
      }
    })()
  }

  async function* lines(filter: RecordFilter, signal?: AbortSignal): AsyncGenerator<string> {
    yield* await openLines({ path: paths.records, query: filter, signal })
  }

  async function* records(filter: RecordFilter, signal?: AbortSignal): AsyncGenerator<SealedRecord> {
    for await (const line of lines(filter, signal)) yield sealed(line)
  }

  async function* followRecords(filter: RecordFilter, steady: Steady): AsyncGenerator<SealedRecord> {
    const { tail, limit: _limit, ...lasting } = filter
    let after = filter.after ?? 0
    // "The last ten" is asked for once and to its end; following then starts behind the last one seen. Asking again for a
    // tail after a loss would repeat or leave out records.
    let owed = tail
    const open = async () => {
      if (owed !== undefined) {
        const last: SealedRecord[] = []
        for await (const item of records({ ...lasting, tail: owed }, steady.signal)) last.push(item)
        const live = await openLines({
          path: paths.followRecords,
          query: { ...lasting, after: last.at(-1)?.record.seq ?? after },
          signal: steady.signal,
        })
        owed = undefined
        return chained(last, live)
      }
      return chained(
        [],
        await openLines({ path: paths.followRecords, query: { ...lasting, after }, signal: steady.signal }),
      )
    }
    for await (const item of steadyStream(open, steady)) {
      if (item.record.seq <= after) continue
      after = item.record.seq
      yield item
    }
  }

  async function sessionEnd(id: string, steady: Steady): Promise<SessionEnd | undefined> {
    const path = paths.endSession(id)
    const open = () => openLines({ path, signal: steady.signal })
    for await (const line of steadyStream(open, steady)) return parsed(sessionEndSchema, line, path)
    return undefined
  }

  async function* watchApprovals(steady: Steady): AsyncGenerator<ApprovalEvent> {
    const open = () => openLines({ path: paths.approvalEvents, signal: steady.signal })
    for await (const line of steadyStream(open, steady)) {
      const event = parsed(approvalEventSchema, line, paths.approvalEvents)
      if (event.event !== 'beat') yield event
    }
  }

  async function* recording(session: string, command: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const answer = await http.send({ path: paths.recording(session, command), signal })
    try {
      yield* answer.body
    } catch (error) {
      throw broken(http.way, error, signal)
    }
  }

  return {
    url: http.url,
    wellKnown: () => ask(wellKnownSchema, { path: paths.wellKnown, withToken: false }),
    me: () => ask(meSchema, { path: paths.me }),
    targets: () => ask(targetsSchema, { path: paths.targets }),
    startSession: (wish) => ask(sessionSchema, { method: 'POST', path: paths.sessions, body: wish }),
    sessions: ({ live, limit }) => ask(sessionsSchema, { path: paths.sessions, query: { live: String(live), limit } }),
    session: (id) => ask(sessionSchema, { path: paths.session(id) }),
    sessionEnd,
    endSession: (id) => tell({ method: 'POST', path: paths.endSession(id), body: {} }),
    killSession: (id, reason) => tell({ method: 'POST', path: paths.killSession(id), body: { reason } }),
    approvals: (state) => ask(approvalsSchema, { path: paths.approvals, query: { state } }),
    approval: (id) => ask(approvalSchema, { path: paths.approval(id) }),
    decide: (id, wish) => ask(approvalSchema, { method: 'POST', path: paths.decide(id), body: wish }),
    watchApprovals,
    records,
    lines,
    followRecords,
    recordings: (session) => ask(recordingsSchema, { path: paths.recordings(session) }),
    recording,
    close: () => http.close(),
  }
}

async function* chained(first: readonly SealedRecord[], then: AsyncIterable<string>): AsyncGenerator<SealedRecord> {
  yield* first
  for await (const line of then) yield sealed(line)
}

function sealed(line: string): SealedRecord {
  return { line, record: parsed(recordSchema, line, paths.records) }
}

/** Fail closed: an answer that is not what was agreed on is not used in part. */
function parsed<T>(schema: ZodType<T>, text: string, path: string): T {
  const result = schema.safeParse(jsonOf(text))
  if (result.success) return result.data
  throw hoopError('gateway-error', `the gateway's answer to ${path} is not understood`, {
    hint: 'is it a hoop gateway, and of the same version? see "hoop status"',
    cause: result.error,
  })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
