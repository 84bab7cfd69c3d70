/**
 * Whose records may be read: admins and auditors read all, others what belongs to their own sessions, which includes the
 * decisions that reviewers made about them.
 */
import type { RecordFilter } from '../../contract/api.ts'
import { isHoopError } from '../../contract/error-codes.ts'
import type { Audit } from '../audit/audit.ts'
import type { Caller } from '../identity/caller.ts'
import type { Sessions } from '../sessions/sessions.ts'

export interface VisibleRecords {
  read(filter: RecordFilter): Promise<AsyncIterable<string>>
  follow(filter: RecordFilter, signal: AbortSignal): Promise<AsyncIterable<string>>
}

export function visibleRecords(
  audit: Pick<Audit, 'read' | 'follow'>,
  sessions: Pick<Sessions, 'get'>,
  caller: Caller,
): VisibleRecords {
  const seesAll = caller.roles.length > 0
  const isOwn = ownership(sessions, caller)

  /** Does the filter itself keep to what the caller may see? Throws where it names somebody else's session. */
  async function isNarrow({ session }: RecordFilter): Promise<boolean> {
    if (seesAll) return true
    if (session === undefined) return false
    await sessions.get(caller, session)
    return isOwn(session)
  }

  async function* own(lines: AsyncIterable<string>): AsyncGenerator<string> {
    for await (const line of lines) {
      const session = sessionOf(line)
      // Fail closed: what belongs to no session, or cannot be read, is not theirs.
      if (session !== undefined && (await isOwn(session))) yield line
    }
  }

  return {
    async read(filter) {
      if (await isNarrow(filter)) return audit.read(filter)
      // "The last ten" means ten of theirs: these two count behind the sieve, not before it.
      const { tail, limit, ...rest } = filter
      const lines = own(audit.read(rest))
      return tail === undefined ? first(lines, limit) : lastOf(lines, tail)
    },
    async follow(filter, signal) {
      return (await isNarrow(filter)) ? audit.follow(filter, signal) : own(audit.follow(filter, signal))
    },
  }
}

/** Asks once for each session: whose it is never changes. */
function ownership(sessions: Pick<Sessions, 'get'>, caller: Caller): (session: string) => Promise<boolean> {
  const known = new Map<string, boolean>()
  return async (id) => {
    let own = known.get(id)
    if (own === undefined) {
      own = await sessions.get(caller, id).then(
        (session) => session.user === caller.user,
        (error: unknown) => {
          if (isHoopError(error) && (error.code === 'not-found' || error.code === 'not-allowed')) return false
          throw error
        },
      )
      known.set(id, own)
    }
    return own
  }
}

function sessionOf(line: string): string | undefined {
  const record: unknown = JSON.parse(line)
  if (typeof record !== 'object' || record === null || !('session' in record)) return undefined
  return typeof record.session === 'string' ? record.session : undefined
}

async function* first(lines: AsyncIterable<string>, limit: number | undefined): AsyncGenerator<string> {
  let count = 0
  for await (const line of lines) {
    yield line
    count += 1
    if (count === limit) return
  }
}

async function* lastOf(lines: AsyncIterable<string>, count: number): AsyncGenerator<string> {
  const last: string[] = []
  for await (const line of lines) {
    last.push(line)
    if (last.length > count) last.shift()
  }
  yield* last
}
