/**
 * Reading and following. Both re-read the store page by page at the pace of whoever consumes them, so that a follower
 * costs one page of memory however slow it is, and sees each record once however fast they come.
 */
import type { Wanted } from '../store/messages.ts'
import type { Reader } from '../store/reader.ts'
import type { Audit, AuditFilter } from './audit.ts'
import type { Growth } from './growth.ts'

const pageSize = 500

/** `readable`: waits for what is durable and not in the database yet. */
export function linesOn(reader: Reader, growth: Growth, readable: () => Promise<void>): Pick<Audit, 'read' | 'follow'> {
  /** Lines behind `after`, up to `upTo`, at most `limit`. Gives back how many may still follow. */
  async function* between(
    wanted: Wanted,
    range: { readonly after: number; readonly upTo: number; readonly limit: number },
    signal?: AbortSignal,
  ): AsyncGenerator<string, number> {
    const { upTo } = range
    let { after, limit } = range
    while (after < upTo && limit > 0) {
      const page = await reader.ask('page', { wanted, after, upTo, limit: Math.min(pageSize, limit) })
      for (const line of page.lines) {
        if (signal?.aborted === true) return limit
        yield line
      }
      after = page.next
      limit -= page.lines.length
    }
    return limit
  }

  /** The number behind which the last `count` that fit begin. */
  async function tailStart(wanted: Wanted, after: number, head: number, count: number): Promise<number> {
    let from = head
    let left = count
    while (from > after && left > 0) {
      const { found, lowest } = await reader.ask('tail', { wanted, after, from, count: left })
      left -= found
      from = lowest - 1
    }
    return Math.max(after, from)
  }

  async function startOf(filter: AuditFilter, head: number): Promise<number> {
    const after = filter.after ?? 0
    return filter.tail === undefined ? after : tailStart(filter, after, head, filter.tail)
  }

  return {
    async *read(filter) {
      await readable()
      const upTo = growth.head()
      const after = await startOf(filter, upTo)
      yield* between(filter, { after, upTo, limit: filter.limit ?? Number.POSITIVE_INFINITY })
    },

    async *follow(filter, signal) {
      await readable()
      let upTo = growth.head()
      let after = await startOf(filter, upTo)
      let limit = filter.limit ?? Number.POSITIVE_INFINITY
      for (;;) {
        limit = yield* between(filter, { after, upTo, limit }, signal)
        after = Math.max(after, upTo)
        if (limit === 0 || !(await growth.past(after, signal))) return
        upTo = growth.head()
      }
    },
  }
}
