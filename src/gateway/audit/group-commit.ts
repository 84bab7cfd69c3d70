/**
 * The queue in front of the journal. While one batch is being flushed the next one fills, so that whoever is busy at the
 * same time shares a flush. It also is where a failing disk shows: what waits is refused at once, what was noted is kept,
 * and the store is opened again every now and then until it works.
 */
import type { Clock } from '../../base/clock.ts'
import { reasonOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { type HoopError, hoopError } from '../../contract/error-codes.ts'
import type { RecordDraft } from '../../contract/record.ts'
import { endingsOf } from '../store/endings.ts'
import { type Entry, entryOf } from '../store/entry.ts'
import type { FromWriter } from '../store/messages.ts'
import { type Batch, type End, seal } from '../store/seal.ts'
import { storeReason } from '../store/sqlite.ts'
import type { Writer } from '../store/writer.ts'
import { createImporter } from './importer.ts'
import type { Journal } from './journal.ts'

export interface GroupCommit {
  append(drafts: readonly RecordDraft[]): Promise<void>
  note(draft: RecordDraft): void
  /** Resolves once everything that is durable can be read as well, or the store has failed. */
  readable(): Promise<void>
  /** Why it cannot write, or undefined. */
  trouble(): string | undefined
  /** Writes what waits, closes the files. */
  close(): Promise<void>
}

interface Item {
  readonly drafts: readonly RecordDraft[]
  readonly entries: readonly Entry[]
  /** Absent for what was noted: nobody waits for that. */
  readonly waiter?: { resolve(): void; reject(error: HoopError): void }
}

const maxEntries = 2000
const maxCharacters = 8 << 20
/** A note waits this long for an append to ride along with, so that it does not cost a flush of its own. */
const noteDelayMs = 20
const reopenEveryMs = 500
/** A disk that takes longer than this to flush is as good as none: better a clear error than clients that hang. */
const usualStallMs = 15_000
const notAnswering = 'its disk does not answer'

interface Options {
  readonly writer: Writer
  /** Open. */
  readonly journal: Journal
  /** The newest durable record at the start. */
  readonly end: End
  readonly clock: Clock
  readonly log: Log
  readonly stallMs?: number | undefined
  /** Records up to this one can be read. */
  onGrowth(head: number): void
  /** A batch is durable: after how many milliseconds, and how many records it was. */
  onFlush?(milliseconds: number, records: number): void
}

export function createGroupCommit(options: Options): GroupCommit {
  const { writer, journal, clock, log, stallMs = usualStallMs, onGrowth, onFlush } = options
  /** The newest durable record. */
  let end = options.end
  let queue: Item[] = []
  let flushing: Promise<void> | undefined
  /** A batch of which nobody knows yet whether it reached the disk. */
  let doubtful: { readonly items: readonly Item[]; readonly landed: End } | undefined
  let down: string | undefined
  /** Something has failed since the store was opened last, and not only taken long. */
  let broken = false
  let closing: Promise<void> | undefined
  let ended = false
  let pumping: NodeJS.Immediate | undefined
  let noteTimer: NodeJS.Timeout | undefined
  let reopenTimer: NodeJS.Timeout | undefined

  const importer = createImporter({
    writer,
    stallMs,
    onImported(head, settled) {
      journal.release(settled)
      onGrowth(head)
      pumpSoonOrNow()
    },
    onFailed(reply) {
      broken = true
      fail(reply === 'stalled' ? notAnswering : reasonIn(reply))
    },
  })

  function takeBatch(): readonly Item[] {
    let entries = 0
    let characters = 0
    let count = 0
    for (const item of queue) {
      entries += item.entries.length
      for (const entry of item.entries) characters += entry.body.length
      if (count > 0 && (entries > maxEntries || characters > maxCharacters)) break
      count++
    }
    const batch = queue.slice(0, count)
    queue = queue.slice(count)
    return batch
  }

  function pump(): void {
    if (flushing !== undefined || down !== undefined || queue.length === 0 || importer.full) return
    clearTimeout(noteTimer)
    noteTimer = undefined
    flushing = flush(takeBatch()).then(() => {
      flushing = undefined
      pumpSoonOrNow()
    })
  }

  /** At once if somebody waits for it. */
  function pumpSoonOrNow(): void {
    if (closing !== undefined || queue.some((item) => item.waiter !== undefined)) pump()
    else if (queue.length > 0) noteTimer ??= setTimeout(pump, noteDelayMs)
  }

  /** When everyone whose bytes arrived in this turn of the event loop has asked: they share the flush. */
  function pumpAfterThisTurn(): void {
    pumping ??= setImmediate(() => {
      pumping = undefined
      pump()
    })
  }

  async function flush(items: readonly Item[]): Promise<void> {
    const batch = seal(
      items.flatMap((item) => item.entries),
      end,
    )
    const started = clock.elapsed()
    const stalled = setTimeout(() => fail(notAnswering, { items, landed: batch.end }), stallMs)
    try {
      await journal.write(batch)
    } catch (error) {
      broken = true
      fail(storeReason(error), { items, landed: batch.end })
      return
    } finally {
      clearTimeout(stalled)
    }
    if (doubtful !== undefined) {
      // It was given up as stalled, and then it was written after all.
      landed(batch)
      return
    }
    end = batch.end
    handOn(batch)
    onFlush?.(clock.elapsed() - started, batch.end.seq - batch.first + 1)
    for (const item of items) item.waiter?.resolve()
  }

  function landed(batch: Batch): void {
    resolveDoubt(batch.end)
    handOn(batch)
    if (!broken) upAgain()
  }

  /** After a failure it is found in the journal instead, when the store is opened again. */
  function handOn(batch: Batch): void {
    if (!broken) importer.add(batch)
  }

  /** Fail closed: whoever waits is told no, now. Only notes are kept. */
  function fail(reason: string, given?: { readonly items: readonly Item[]; readonly landed: End }): void {
    if (down === undefined) log.error({ reason }, 'the audit cannot be written: commands are refused until it can')
    down = reason
    doubtful ??= given
    importer.forget()
    const refused = [...(given?.items ?? []), ...queue].filter((item) => item.waiter !== undefined)
    queue = queue.filter((item) => item.waiter === undefined)
    for (const item of refused) item.waiter?.reject(unavailable(reason))
    reopenLater()
  }

  function reopenLater(): void {
    if (closing === undefined) reopenTimer ??= setTimeout(reopenNow, reopenEveryMs)
  }

  function reopenNow(): void {
    reopenTimer = undefined
    if (down === undefined) return
    // A stalled flush: its answer, when it comes, says what reached the disk.
    if (flushing !== undefined || importer.busy) {
      reopenLater()
      return
    }
    flushing = reopen().then(() => {
      flushing = undefined
      pumpSoonOrNow()
    })
  }

  async function reopen(): Promise<void> {
    try {
      await journal.close()
      const reply = await writer.ask({ ask: 'open', now: clock.now(), recover: false })
      if (reply.answer !== 'open') throw new Error(reasonIn(reply))
      if (!isExpected(reply.end)) {
        down = `the newest record is ${reply.end.seq}, expected was ${end.seq}: somebody else wrote to the store`
        log.error(
          { found: reply.end.seq, expected: end.seq },
          'the audit was changed behind our back: nothing is written to it any more',
        )
        return
      }
      await journal.open()
      journal.release(reply.end.seq)
      resolveDoubt(reply.end)
      broken = false
      upAgain()
      onGrowth(end.seq)
    } catch (error) {
      down = storeReason(error)
      reopenLater()
    }
  }

  /** The newest record in a store that was opened again: either all of the doubtful batch is there, or none. */
  function isExpected(found: End): boolean {
    return found.hash === end.hash || found.hash === doubtful?.landed.hash
  }

  /** The disk has said how far the trail goes. */
  function resolveDoubt(found: End): void {
    const items = doubtful?.items ?? []
    if (found.seq === end.seq) queue = [...items.filter((item) => item.waiter === undefined), ...queue]
    // Their callers were told no, so none of it happened: say so behind them.
    else queue = [...items.filter((item) => item.waiter !== undefined).flatMap(endings), ...queue]
    doubtful = undefined
    end = found
  }

  function upAgain(): void {
    down = undefined
    log.info({ head: end.seq }, 'the audit can be written again')
  }

  function endings(item: Item): readonly Item[] {
    const drafts = endingsOf(item.drafts, 'the audit could not be written in time, so it was refused')
    return drafts.length === 0 ? [] : [itemOf(drafts)]
  }

  function itemOf(drafts: readonly RecordDraft[]): Item {
    const at = clock.now()
    return { drafts, entries: drafts.map((draft) => entryOf(draft, at)) }
  }

  /** It happened, so it is written, if need be without what makes it too long. */
  function noteItem(draft: RecordDraft): Item {
    try {
      return itemOf([draft])
    } catch (error) {
      log.error(
        { type: draft.type, reason: reasonOf(error) },
        'an outcome is too long for a record: its status is kept',
      )
      return itemOf([draft.type === 'outcome' ? { ...draft, outcome: { status: draft.outcome.status } } : draft])
    }
  }

  /** Until nothing waits any more, or nothing can be written. */
  async function drain(): Promise<void> {
    do {
      for (pump(); flushing !== undefined; pump()) await flushing
      await importer.settled()
    } while (queue.length > 0 && down === undefined)
  }

  async function writeRest(): Promise<void> {
    clearTimeout(noteTimer)
    clearTimeout(reopenTimer)
    clearImmediate(pumping)
    await drain()
    if (down !== undefined) {
      await reopen()
      await drain()
    }
    ended = true
    const left = queue.length + (doubtful?.items.length ?? 0)
    if (left > 0) log.error({ records: left }, 'the audit ends without these outcomes: they could not be written')
    await journal.close()
    await writer.ask({ ask: 'close' })
  }

  return {
    append(drafts) {
      if (closing !== undefined) return Promise.reject(unavailable('the gateway is stopping'))
      if (down !== undefined) return Promise.reject(unavailable(down))
      if (drafts.length === 0) return Promise.resolve()
      return new Promise((resolve, reject) => {
        // What throws in here rejects: a record that is too long.
        queue.push({ ...itemOf(drafts), waiter: { resolve, reject } })
        pumpAfterThisTurn()
      })
    },
    note(draft) {
      if (ended) {
        log.error({ type: draft.type }, 'the audit is closed: an outcome came too late to be written')
        return
      }
      queue.push(noteItem(draft))
      pumpSoonOrNow()
    },
    readable: () => importer.settled(),
    trouble: () => down,
    close() {
      closing ??= writeRest()
      return closing
    },
  }
}

function reasonIn(reply: FromWriter): string {
  return reply.answer === 'failed' ? reply.reason : `unexpected answer ${reply.answer}`
}

function unavailable(reason: string): HoopError {
  return hoopError('audit-unavailable', `the audit cannot be written: ${reason}`, {
    hint: 'nothing was forwarded; try again when the gateway is ready (/readyz)',
  })
}
