/** The last commands of a session, for the reviewer of the next one: what led up to it. */
import type { Approval } from '../../contract/api.ts'
import type { Verdict } from '../../contract/record.ts'

export type Earlier = Approval['earlier'][number]

export interface History {
  add(at: number, text: string, verdict: Verdict): void
  /** Oldest first. */
  earlier(): readonly Earlier[]
  /** How many there were in all. */
  count(): number
}

const kept = 20
const longestLine = 200
const looked = 4 * longestLine

export function createHistory(countBefore = 0): History {
  /** A ring: every command comes by here, and hardly one is ever looked at. */
  const ring: { readonly at: number; readonly text: string; readonly verdict: Verdict }[] = []
  let count = countBefore
  let next = 0
  return {
    add(at, text, verdict) {
      count += 1
      // Cut first: a statement may be megabytes.
      ring[next] = { at, text: text.length > looked ? text.slice(0, looked) : text, verdict }
      next = (next + 1) % kept
    },
    earlier: () =>
      [...ring.slice(next), ...ring.slice(0, next)].map(({ at, text, verdict }) => ({
        at: new Date(at).toISOString(),
        text: oneLine(text),
        verdict,
      })),
    count: () => count,
  }
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= longestLine ? line : `${line.slice(0, longestLine - 1)}…`
}
