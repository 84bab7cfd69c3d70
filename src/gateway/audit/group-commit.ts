/**
 * The queue in front of the writing thread. While one batch is being flushed the next one fills, so that whoever is busy
 * at the same time shares a flush. It also is where a failing store shows: what waits is refused at once, what was noted
 * is kept, and the store is opened again every now and then until it works.
 */
import type { Clock } from '../../base/clock.ts'
import { reasonOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { type HoopError, hoopError } from '../../contract/error-codes.ts'
import type { RecordDraft } from '../../contract/record.ts'
import { endingsOf } from '../store/endings.ts'
import { type Entry, entryOf } from '../store/entry.ts'
import type { FromWriter } from '../store/messages.ts'
import type { Writer } from '../store/writer.ts'

export interface GroupCommit {
  append(drafts: readonly RecordDraft[]): Promise<void>
  note(draft: RecordDraft): void
  /** Why it cannot write, or undefined. */
  trouble(): string | undefined
  /** Writes what waits, closes the file. */
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

interface Options {
  readonly writer: Writer
  /** Number of the newest durable record at the start. */
  readonly head: number
  readonly clock: Clock
  readonly log: Log
  readonly stallMs?: number | undefined
  onGrowth(head: number): void
  /** A batch is durable: after how many milliseconds, and how many records it was. */
  onFlush?(milliseconds: number, records: number): void
}

export function createGroupCommit(options: Options): GroupCommit {
  const { writer, clock, log, stallMs = usualStallMs, onGrowth, onFlush } = options
  let head = options.head
  let queue: Item[] = []
  let flushing: Promise<void> | undefined
  /** A batch of which nobody knows yet whether it reached the disk. */
  let doubtful: readonly Item[] = []
  let down: string | undefined
  let closing: Promise<void> | undefined
  let ended = false
  let noteTimer: NodeJS.Timeout | undefined
  let reopenTimer: NodeJS.Timeout | undefined

  function takeBatch(): readonly Item[] {
    let entries = 0
    let characters = 0
    let count = 0
    for (const item of queue) {
      entries += item.entries.length
      for (const entry of item.entries) characters += entry[0].length
      if (count > 0 && (entries > maxEntries || characters > maxCharacters)) break
      count++
    }
    const batch = queue.slice(0, count)
    queue = queue.slice(count)
    return batch
  }

  function pump(): void {
    if (flushing !== undefined || down !== undefined || queue.length === 0) return
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

  async function flush(batch: readonly Item[]): Promise<void> {
    const stalled = setTimeout(() => fail('its disk does not answer', batch), stallMs)
    const entries = batch.flatMap((item) => item.entries)
    const started = clock.elapsed()
    const reply = await writer.ask({ ask: 'write', entries })
    clearTimeout(stalled)
    if (reply.answer !== 'written') return fail(reasonIn(reply), batch)
    if (doubtful.length > 0) {
      // It was given up as stalled, and then it was written after all.
      recovered(reply.head)
      return
    }
    onFlush?.(clock.elapsed() - started, entries.length)
    grow(reply.head)
    for (const item of batch) item.waiter?.resolve()
  }

  function grow(to: number): void {
    if (to === head) return
    head = to
    onGrowth(head)
  }

  /** Fail closed: whoever waits is told no, now. Only notes are kept. */
  function fail(reason: string, batch: readonly Item[]): void {
    if (down === undefined) log.error({ reason }, 'the audit cannot be written: commands are refused until it can')
    down = reason
    doubtful = batch
    const refused = [...batch, ...queue].filter((item) => item.waiter !== undefined)
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
    if (flushing !== undefined) {
      reopenLater()
      return
    }
    flushing = reopen().then(() => {
      flushing = undefined
      pumpSoonOrNow()
    })
  }

  async function reopen(): Promise<void> {
    const reply = await writer.ask({ ask: 'open', now: clock.now(), recover: false })
    if (reply.answer === 'open') {
      recovered(reply.head)
      return
    }
    down = reasonIn(reply)
    reopenLater()
  }

  /** The store works again and its newest record is `found`: so either all of the doubtful batch is there, or none. */
  function recovered(found: number): void {
    const landed = head + doubtful.reduce((sum, item) => sum + item.entries.length, 0)
    if (found !== head && found !== landed) {
      down = `the newest record is ${found}, expected was ${head}: somebody else wrote to the store`
      log.error({ found, expected: head }, 'the audit was changed behind our back: nothing is written to it any more')
      return
    }
    if (found === head) queue = [...doubtful.filter((item) => item.waiter === undefined), ...queue]
    // Their callers were told no, so none of it happened: say so behind them.
    else queue = [...doubtful.filter((item) => item.waiter !== undefined).flatMap(endings), ...queue]
    doubtful = []
    down = undefined
    grow(found)
    log.info({ head: found }, 'the audit can be written again')
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

  async function writeRest(): Promise<void> {
    clearTimeout(noteTimer)
    clearTimeout(reopenTimer)
    while (flushing !== undefined) await flushing
    if (down !== undefined) await reopen()
    for (pump(); flushing !== undefined; pump()) await flushing
    ended = true
    if (queue.length > 0 || doubtful.length > 0)
      log.error(
        { records: queue.length + doubtful.length },
        'the audit ends without these outcomes: they could not be written',
      )
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
        pump()
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
