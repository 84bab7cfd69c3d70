/**
 * Everyone who watches approvals: all pending ones first, then each that changed. A watcher that reads slowly gets the
 * latest state of each approval, not every step to it; so what waits for it is bounded by the approvals there are.
 */
import type { Approval, ApprovalEvent } from '../../contract/api.ts'

export interface Watchers {
  /** `view` gives what this watcher may see of an approval: undefined for nothing. */
  watch(snapshot: () => readonly Approval[], view: View, signal: AbortSignal): AsyncIterable<ApprovalEvent>
  changed(id: string): void
  /** Ends all of them. */
  close(): void
}

type View = (id: string) => Approval | undefined

export function createWatchers(): Watchers {
  const watchers = new Set<(id: string) => void>()
  const closing = new AbortController()

  async function* watch(
    snapshot: () => readonly Approval[],
    view: View,
    signal: AbortSignal,
  ): AsyncIterable<ApprovalEvent> {
    const changed = new Set<string>()
    let wake: () => void = () => undefined
    const notice = (id: string) => {
      changed.add(id)
      wake()
    }
    const ended = AbortSignal.any([signal, closing.signal])
    const onEnd = () => wake()
    ended.addEventListener('abort', onEnd)
    // Before the snapshot, so that nothing falls between the two.
    watchers.add(notice)
    try {
      yield { event: 'snapshot', approvals: [...snapshot()] }
      while (!ended.aborted) {
        for (const id of changed) {
          changed.delete(id)
          const approval = view(id)
          if (approval !== undefined) yield { event: 'changed', approval }
        }
        if (changed.size > 0 || ended.aborted) continue
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    } finally {
      watchers.delete(notice)
      ended.removeEventListener('abort', onEnd)
    }
  }

  return {
    watch,
    changed(id) {
      for (const notice of watchers) notice(id)
    },
    close: () => closing.abort(),
  }
}
