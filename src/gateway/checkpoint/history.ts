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

export function createHistory(countBefore = 0): History {
  const lines: Earlier[] = []
  let count = countBefore
  return {
    add(at, text, verdict) {
      count += 1
      lines.push({ at: new Date(at).toISOString(), text: oneLine(text), verdict })
      if (lines.length > kept) lines.shift()
    },
    earlier: () => [...lines],
    count: () => count,
  }
}

function oneLine(text: string): string {
  // Cut first: a statement may be megabytes.
  const line = text
    .slice(0, 4 * longestLine)
    .replace(/\s+/g, ' ')
    .trim()
  return line.length <= longestLine ? line : `${line.slice(0, longestLine - 1)}…`
}
