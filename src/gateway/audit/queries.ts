/** Sessions as the audit knows them, and the proof of the chain. */
import { z } from 'zod'
import { genesis } from '../../contract/chain.ts'
import type { SessionRow } from '../store/messages.ts'
import type { Reader } from '../store/reader.ts'
import type { AuditQueries, SessionSummary } from './audit.ts'
import type { Growth } from './growth.ts'

const targetsSchema = z.array(z.string())

/** `readable`: waits for what is durable and not in the database yet. */
export function queriesOn(reader: Reader, growth: Growth, readable: () => Promise<void>): AuditQueries {
  return {
    async sessions({ live, limit, user }) {
      await readable()
      const rows = await reader.ask('sessions', { id: null, live, user: user ?? null, limit })
      return rows.map(summaryOf)
    },

    async session(id) {
      await readable()
      const [row] = await reader.ask('sessions', { id, live: false, user: null, limit: 1 })
      return row && summaryOf(row)
    },

    async verify(from = 1) {
      await readable()
      const head = growth.head()
      const after = Math.min(Math.max(0, from - 1), head)
      let prev = after === 0 ? genesis : null
      for (let at = after; at < head; ) {
        const step = await reader.ask('verify', { after: at, upTo: head, prev })
        if (step.flaw !== null) return { ok: false, seq: step.flaw.seq, flaw: step.flaw.what }
        at = step.next
        prev = step.prev
      }
      return { ok: true, records: head - after, last: head, hash: prev ?? genesis }
    },
  }
}

function summaryOf(row: SessionRow): SessionSummary {
  return { ...row, targets: targetsSchema.parse(JSON.parse(row.targets)) }
}
