/** Opens the audit: recovers what a dead gateway left behind, then joins writing, reading and following. */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { hoopError } from '../../contract/error-codes.ts'
import type { Metrics } from '../metrics.ts'
import { createReader } from '../store/reader.ts'
import { storeReason } from '../store/sqlite.ts'
import { createWriter } from '../store/writer.ts'
import type { Audit } from './audit.ts'
import { createGroupCommit } from './group-commit.ts'
import { createGrowth } from './growth.ts'
import { createJournal } from './journal.ts'
import { queriesOn } from './queries.ts'
import { linesOn } from './lines.ts'

export interface AuditOptions {
  /** The store's file; made if it is missing, with its folder. */
  readonly path: string
  /** false: a power cut may lose the newest records. */
  readonly flush: boolean
  readonly clock: Clock
  readonly log: Log
  readonly metrics?: Pick<Metrics, 'flushed'>
  /** How long a flush may take before whoever waits for it is refused; 15 s unless said otherwise. */
  readonly stallMs?: number
}

/** Throws `conflict` if another gateway has the store, `audit-unavailable` if it cannot be written or was damaged. */
export async function openAudit({ path, flush, clock, log, metrics, stallMs }: AuditOptions): Promise<Audit> {
  const writer = createWriter({ path, flush })
  const opened = await writer.ask({ ask: 'open', now: clock.now(), recover: true })
  if (opened.answer !== 'open') {
    await writer.ask({ ask: 'close' })
    throw openingError(path, opened.answer === 'failed' ? opened : { kind: 'unavailable', reason: 'no answer' })
  }
  if (opened.ended > 0)
    log.warn({ records: opened.ended }, 'the gateway stopped without warning last time: ended what it left open')

  const journal = createJournal(path, flush)
  await journal.open().catch(async (error: unknown) => {
    await writer.ask({ ask: 'close' })
    throw openingError(path, { kind: 'unavailable', reason: storeReason(error) })
  })
  const growth = createGrowth(opened.end.seq)
  const commits = createGroupCommit({
    writer,
    journal,
    end: opened.end,
    clock,
    log,
    stallMs,
    onGrowth: growth.reach,
    onFlush: (milliseconds, records) => metrics?.flushed(milliseconds, records),
  })
  const reader = createReader(path)
  let closing: Promise<void> | undefined

  async function close(): Promise<void> {
    await commits.close()
    growth.end()
    await reader.close()
  }

  return {
    append: commits.append,
    note: commits.note,
    health() {
      const reason = commits.trouble()
      return reason === undefined ? { ok: true } : { ok: false, reason: `the audit cannot be written: ${reason}` }
    },
    ...linesOn(reader, growth, commits.readable),
    ...queriesOn(reader, growth, commits.readable),
    close() {
      closing ??= close()
      return closing
    },
  }
}

function openingError(path: string, failed: { readonly kind: string; readonly reason: string }): Error {
  if (failed.kind === 'conflict')
    return hoopError('conflict', failed.reason, { hint: 'stop that one, or give this one its own store.path' })
  if (failed.kind === 'damaged')
    return hoopError('audit-unavailable', `${path}: ${failed.reason}`, {
      hint: 'keep the file as evidence; start with another store.path, or with a copy that verifies',
    })
  return hoopError('audit-unavailable', `the audit in ${path} cannot be opened: ${failed.reason}`)
}
