/** One session while it lives: whose it is, its open connections, and when its client was last heard of. */
import { once } from 'node:events'
import type { Person } from '../../contract/record.ts'
import type { Refusal } from '../../contract/refusal.ts'
import { createHistory, type History } from '../checkpoint/history.ts'

export interface SessionFacts {
  readonly id: string
  readonly person: Person
  readonly agent: string | null
  readonly reason: string | null
  readonly targets: readonly string[]
}

export class LiveSession {
  readonly facts: SessionFacts
  readonly history: History = createHistory()
  readonly #ending = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #watching = 0
  #lastContact: number

  constructor(facts: SessionFacts, now: number) {
    this.facts = facts
    this.#lastContact = now
  }

  get connections(): number {
    return this.#running.size
  }

  /** Aborted, with a Refusal, when the session ends: so do its connections. */
  get signal(): AbortSignal {
    return this.#ending.signal
  }

  heardOf(now: number): void {
    this.#lastContact = now
  }

  /** Milliseconds without a connection and without a word from its client. */
  idleFor(now: number): number {
    return this.#running.size > 0 || this.#watching > 0 ? 0 : now - this.#lastContact
  }

  /** Its client is there, and waits for this. */
  async watch(over: AbortSignal): Promise<void> {
    this.#watching += 1
    try {
      if (!over.aborted) await once(over, 'abort')
    } finally {
      this.#watching -= 1
    }
  }

  /** Counts the connection until it is over. */
  async run(connection: () => Promise<void>): Promise<void> {
    const running = connection()
    this.#running.add(running)
    try {
      await running
    } finally {
      this.#running.delete(running)
    }
  }

  /** Ends its connections and waits until they are over, at most this long. */
  async end(reason: Refusal, withinMs: number): Promise<void> {
    this.#ending.abort(reason)
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(late.resolve, withinMs)
    await Promise.race([Promise.allSettled(this.#running), late.promise])
    clearTimeout(timer)
  }
}
