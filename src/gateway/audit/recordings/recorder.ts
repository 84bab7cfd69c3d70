/**
 * One recording while it is made: takes what is shown and typed at once, writes it in the background, flushes what it wrote
 * at least once a second. The first failure is told and ends it: nothing after it is kept, so nothing may go on.
 */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import type { Clock } from '../../../base/clock.ts'
import type { Recorder } from '../../protocols/protocol.ts'
import { createEvents } from './events.ts'

export interface RecorderOptions {
  /** Empty, and made for this alone. */
  readonly file: FileHandle
  /** The first line. */
  readonly header: string
  readonly limit: number
  readonly flush: boolean
  readonly clock: Clock
  readonly onLost: (reason: unknown) => void
}

export interface OpenRecorder extends Recorder {
  /** Writes what there is, without an end. */
  abandon(): Promise<void>
}

const flushEveryMs = 1000
/** What may wait for the disk in memory before those who show more are asked to wait too. */
const muchWaiting = 2 << 20
/** Who does not wait is not kept from here on, until there is room again. */
const mostWaiting = 16 << 20

/** Resolves when the header is durable. */
export async function createRecorder(options: RecorderOptions): Promise<OpenRecorder> {
  const { file, limit, flush, clock, onLost } = options
  const first = Buffer.from(`${options.header}\n`)
  const hash = createHash('sha256').update(first)
  await file.appendFile(first)
  if (flush) await file.sync()

  const begun = clock.elapsed()
  const now = () => Math.round(clock.elapsed() - begun)
  const events = createEvents({ limit, kept: first.length })
  let bytes = first.length
  /** Taken from the events and not written yet; in bytes. */
  let waiting = 0
  let queue: Buffer[] = []
  let writing: Promise<void> | undefined
  let flushing: Promise<void> | undefined
  let dirty = false
  let lost: { readonly reason: unknown } | undefined
  let over = false
  let due: NodeJS.Timeout | undefined
  let roomFor: PromiseWithResolvers<void> | undefined

  const flusher = setInterval(() => {
    if (dirty && flush) flushing ??= flushNow().finally(() => (flushing = undefined))
  }, flushEveryMs).unref()

  function fail(reason: unknown): void {
    if (lost !== undefined) return
    lost = { reason }
    queue = []
    waiting = 0
    stopTimers()
    roomFor?.resolve()
    // Of a file that failed already nothing more is expected, not even that it closes well.
    file.close().catch(() => undefined)
    onLost(reason)
  }

  function stopTimers(): void {
    clearInterval(flusher)
    clearTimeout(due)
    due = undefined
  }

  async function flushNow(): Promise<void> {
    dirty = false
    await file.datasync().catch(fail)
  }

  async function writeQueue(): Promise<void> {
    while (queue.length > 0) {
      const batch = Buffer.concat(queue)
      queue = []
      await file.appendFile(batch)
      hash.update(batch)
      bytes += batch.length
      waiting -= batch.length
      dirty = true
      if (waiting <= muchWaiting) {
        roomFor?.resolve()
        roomFor = undefined
      }
    }
  }

  /** What is complete goes to the disk; what is not is looked at when it is due. */
  function move(): void {
    if (lost !== undefined) return
    for (const line of events.take(now())) {
      queue.push(line)
      waiting += line.length
    }
    if (queue.length > 0)
      writing ??= writeQueue()
        .catch(fail)
        .finally(() => {
          writing = undefined
          // Something may have come between the last look and now.
          if (queue.length > 0) move()
        })
    const dueIn = events.dueIn(now())
    if (dueIn !== undefined && !over) due ??= setTimeout(moveLater, dueIn)
  }

  function moveLater(): void {
    due = undefined
    move()
  }

  async function written(): Promise<void> {
    move()
    while (writing !== undefined) await writing
  }

  async function finish(): Promise<void> {
    await written()
    await flushing
    if (flush && lost === undefined) await flushNow()
    if (lost === undefined) await file.close().catch(fail)
  }

  const isOpen = () => !over && lost === undefined

  return {
    output(shown) {
      if (!isOpen()) return
      if (waiting > mostWaiting) events.lose(shown.length, now())
      else events.add('o', shown, now())
      move()
    },
    input(typed) {
      if (!isOpen()) return
      events.add('i', typed, now())
      move()
    },
    resize(width, height) {
      if (!isOpen()) return
      events.mark('r', `${clampCells(width)}x${clampCells(height)}`, now())
      move()
    },
    marker(label) {
      if (!isOpen()) return
      events.mark('m', label, now())
      move()
    },
    room() {
      if (!isOpen() || waiting <= muchWaiting) return undefined
      roomFor ??= Promise.withResolvers()
      return roomFor.promise
    },
    async end(status) {
      if (over) throw new Error('the recording has ended already')
      over = true
      stopTimers()
      if (lost === undefined) events.end(status, now())
      await finish()
      if (lost !== undefined) throw lost.reason
      return { sha256: hash.digest('hex'), bytes }
    },
    async abandon() {
      if (over) return
      over = true
      stopTimers()
      if (lost === undefined) events.settle(now())
      await finish()
    },
  }
}

/** A terminal's size as the format allows it; a client may say anything. */
export function clampCells(cells: number): number {
  return Math.min(65_535, Math.max(1, Math.trunc(cells) || 1))
}
