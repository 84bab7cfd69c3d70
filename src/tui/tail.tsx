/** `hoop logs --follow` on a terminal: runs the tail screen until the reader leaves it. */
import './production.ts'
import { setImmediate } from 'node:timers/promises'
import { createElement } from 'react'
import type { Clock } from '../base/clock.ts'
import type { AuditRecord } from '../contract/record.ts'
import { runFullScreen, sizeOf } from './full-screen.tsx'
import type { TailEffect, TailEvent, TailState } from './screens/tail/model.ts'
import { TailScreen } from './screens/tail/screen.tsx'
import { initialTail, mostRecords, reduceTail } from './screens/tail/state.ts'
import type { TailFilter, TailSource, TerminalIo } from './source.ts'
import { createStore, type Store } from './store.ts'

export interface TailOptions {
  readonly source: TailSource
  /** What is shown at first; the reader can change it. What the source leaves out cannot be brought back. */
  readonly initialFilter: TailFilter
  readonly io: TerminalIo
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Records are handed to the screen this often, however many come: nobody reads faster, and frames cost. */
const batchMs = 100

/** Resolves when the reader leaves (q, Ctrl-C) or the signal is aborted; rejects when the source fails for good. */
export async function runTail({ source, initialFilter, io, env, clock, signal }: TailOptions): Promise<void> {
  const left = new AbortController()
  const store: Store<TailState, TailEvent> = createStore(
    initialTail(initialFilter, sizeOf(io)),
    reduceTail,
    (_: TailEffect) => left.abort(),
  )
  const stopListening = source.onConnection((connection) => store.dispatch({ type: 'connection', connection }))
  try {
    await runFullScreen(createElement(TailScreen, { store }), {
      ...{ io, env, signal: AbortSignal.any([signal, left.signal]) },
      onResize: (size) => store.dispatch({ type: 'resize', ...size }),
      feed: (over) => feed(source.follow(over), store, clock),
    })
  } finally {
    stopListening()
  }
}

async function feed(
  records: AsyncIterable<AuditRecord>,
  store: Store<TailState, TailEvent>,
  clock: Clock,
): Promise<void> {
  let batch: AuditRecord[] = []
  const flush = (): void => {
    if (batch.length === 0) return
    const arrived = batch
    batch = []
    store.dispatch({ type: 'arrived', records: arrived })
  }
  const flushing = setInterval(flush, batchMs)
  let rested = clock.elapsed()
  try {
    for await (const record of records) {
      batch.push(record)
      if (batch.length >= mostRecords) flush()
      // A source that has much to hand over must not keep keys and timers waiting.
      if (clock.elapsed() - rested > batchMs / 4) {
        await setImmediate()
        rested = clock.elapsed()
      }
    }
    flush()
  } finally {
    clearInterval(flushing)
  }
}
