/** `hoop approve` on a terminal: runs the review screen until the reviewer leaves it. */
import './production.ts'
import { createElement } from 'react'
import type { Clock } from '../base/clock.ts'
import { reasonOf } from '../base/errors.ts'
import { runFullScreen, sizeOf } from './full-screen.tsx'
import type { ReviewEffect, ReviewEvent, ReviewState } from './screens/review/model.ts'
import { ReviewScreen } from './screens/review/screen.tsx'
import { initialReview, reduceReview } from './screens/review/state.ts'
import type { ReviewSource, TerminalIo } from './source.ts'
import { createStore, type Store } from './store.ts'

export interface ReviewOptions {
  readonly source: ReviewSource
  readonly io: TerminalIo
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Resolves when the reviewer leaves (q, Ctrl-C) or the signal is aborted; rejects when the source fails for good. */
export async function runReview({ source, io, env, clock, signal }: ReviewOptions): Promise<void> {
  const left = new AbortController()
  const store: Store<ReviewState, ReviewEvent> = createStore(
    initialReview(source.me, clock.now(), sizeOf(io)),
    reduceReview,
    (effect: ReviewEffect) => {
      if (effect.effect === 'leave') left.abort()
      else void decide(source, store, effect)
    },
  )
  const stopListening = source.onConnection((connection) => store.dispatch({ type: 'connection', connection }))
  const ticking = setInterval(() => store.dispatch({ type: 'tick', now: clock.now() }), 1000)
  try {
    await runFullScreen(createElement(ReviewScreen, { store }), {
      ...{ io, env, signal: AbortSignal.any([signal, left.signal]) },
      onResize: (size) => store.dispatch({ type: 'resize', ...size }),
      async feed(over) {
        for await (const event of source.watchApprovals(over)) store.dispatch({ type: 'arrived', event })
      },
    })
  } finally {
    clearInterval(ticking)
    stopListening()
  }
}

async function decide(
  source: ReviewSource,
  store: Store<ReviewState, ReviewEvent>,
  { id, wish }: Extract<ReviewEffect, { effect: 'decide' }>,
): Promise<void> {
  try {
    const approval = await source.decide(id, wish)
    store.dispatch({ type: 'decided', decision: wish.decision, approval })
  } catch (error) {
    store.dispatch({ type: 'failed', id, message: `Not decided: ${reasonOf(error)}` })
  }
}
