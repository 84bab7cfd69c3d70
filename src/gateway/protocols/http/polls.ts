/**
 * Answers that are waited for without a connection (Prefer: respond-async, RFC 7240): each is kept until it has been fetched
 * once, by whoever has the same session, or until nobody came for it. In memory: a gateway that ends takes them with it.
 */
import type { OwnAnswer } from './exchange.ts'

export interface Polls {
  /** Undefined: too many wait already. */
  open(session: string, approval: string): Slot | undefined
  /** A whole answer is handed out once. */
  take(session: string, approval: string): OwnAnswer | 'waiting' | undefined
}

export interface Slot {
  answer(answer: OwnAnswer): void
}

/** Of one session: what waits costs memory. */
const mostWaiting = 100
/** An answer that nobody comes for. */
const keptMs = 15 * 60_000

export function createPolls(): Polls {
  const sessions = new Map<string, Map<string, OwnAnswer | 'waiting'>>()

  function forget(session: string, approval: string): void {
    const slots = sessions.get(session)
    slots?.delete(approval)
    if (slots?.size === 0) sessions.delete(session)
  }

  return {
    open(session, approval) {
      const slots = sessions.get(session) ?? new Map<string, OwnAnswer | 'waiting'>()
      if (slots.size >= mostWaiting) return undefined
      slots.set(approval, 'waiting')
      sessions.set(session, slots)
      return {
        answer(answer) {
          slots.set(approval, answer)
          setTimeout(() => {
            if (slots.get(approval) === answer) forget(session, approval)
          }, keptMs).unref()
        },
      }
    },
    take(session, approval) {
      const found = sessions.get(session)?.get(approval)
      if (found !== undefined && found !== 'waiting') forget(session, approval)
      return found
    },
  }
}
