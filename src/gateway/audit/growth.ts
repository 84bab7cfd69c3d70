/** The newest durable record's number, and waiting for a newer one. */

export interface Growth {
  head(): number
  reach(head: number): void
  /** Resolves when the head is past `seq`; false when it never will be, because of the signal or the end. */
  past(seq: number, signal: AbortSignal): Promise<boolean>
  end(): void
}

export function createGrowth(first: number): Growth {
  let head = first
  let ended = false
  let waiters = new Set<() => void>()

  function wake(): void {
    const woken = waiters
    waiters = new Set()
    for (const resume of woken) resume()
  }

  async function next(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const resume = (): void => resolve()
    waiters.add(resume)
    signal.addEventListener('abort', resume)
    try {
      await promise
    } finally {
      waiters.delete(resume)
      signal.removeEventListener('abort', resume)
    }
  }

  return {
    head: () => head,
    reach(to) {
      head = to
      wake()
    },
    async past(seq, signal) {
      while (head <= seq && !ended && !signal.aborted) await next(signal)
      return head > seq && !signal.aborted
    },
    end() {
      ended = true
      wake()
    },
  }
}
