/**
 * What the journal has made durable, on its way into the database: collected for a moment, because a commit of many records
 * costs little more than one of a few, and handed over at once when somebody wants to read.
 */
import type { FromWriter } from '../store/messages.ts'
import type { Batch } from '../store/seal.ts'
import type { Writer } from '../store/writer.ts'

export interface Importer {
  add(batch: Batch): void
  /** Resolves once all that was added so far can be read, or has failed. */
  settled(): Promise<void>
  /** So much waits that nothing should be added before `onImported`. */
  readonly full: boolean
  readonly busy: boolean
  /** After a failure: the writing thread finds it in the journal. */
  forget(): void
}

export interface ImporterOptions {
  readonly writer: Writer
  readonly stallMs: number
  onImported(head: number, settled: number): void
  onFailed(reply: FromWriter | 'stalled'): void
}

const importAfterMs = 40
const importAfterBytes = 512 << 10
const mostBytes = 32 << 20

export function createImporter({ writer, stallMs, onImported, onFailed }: ImporterOptions): Importer {
  let waiting: Batch[] = []
  let bytes = 0
  let timer: NodeJS.Timeout | undefined
  let importing: Promise<void> | undefined

  function start(): void {
    clearTimeout(timer)
    timer = undefined
    if (importing !== undefined || waiting.length === 0) return
    const batches = waiting
    waiting = []
    bytes = 0
    importing = run(batches).finally(() => {
      importing = undefined
      soonOrNow()
    })
  }

  function soonOrNow(): void {
    if (bytes >= importAfterBytes) start()
    else if (waiting.length > 0) timer ??= setTimeout(start, importAfterMs)
  }

  async function run(batches: readonly Batch[]): Promise<void> {
    const stalled = setTimeout(() => onFailed('stalled'), stallMs)
    const reply = await writer.ask({ ask: 'import', batches })
    clearTimeout(stalled)
    if (reply.answer === 'imported') onImported(reply.head, reply.settled)
    else onFailed(reply)
  }

  return {
    add(batch) {
      waiting.push(batch)
      bytes += batch.lines.length
      soonOrNow()
    },
    async settled() {
      // What is under way now may have been started before the newest was added.
      await importing
      start()
      await importing
    },
    get full() {
      return bytes >= mostBytes
    },
    get busy() {
      return importing !== undefined
    },
    forget() {
      waiting = []
      bytes = 0
    },
  }
}
