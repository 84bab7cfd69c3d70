/** Is a stored record what was sealed, and do the columns it is found by say the same as its line? Pure. */
import { flawIn } from '../../contract/chain.ts'

export interface LineWithColumns {
  readonly seq: number
  readonly line: string
  readonly at: number | null
  readonly type: string | null
  readonly session: string | null
  readonly target: string | null
  readonly user: string | null
  readonly connection: string | null
  readonly command: string | null
  readonly approval: string | null
  readonly verdict: string | null
}

const copied = ['type', 'session', 'target', 'user', 'connection', 'command', 'approval'] as const

/** An altered column would hide a record from whoever filters by it, with the chain intact. */
export function flawInRow(row: LineWithColumns, expected: { seq: number; prev: string }): string | undefined {
  if (row.seq !== expected.seq) return 'is missing'
  const flaw = flawIn(row.line, expected)
  if (flaw !== undefined) return flaw
  if (row.type === null) return 'has a line and no columns'
  // Proven to be an object by flawIn; every value below is compared, not trusted.
  const said = JSON.parse(row.line) as Record<string, unknown>
  const wrong = copied.find((column) => row[column] !== (said[column] ?? null))
  if (wrong !== undefined) return `is filed under another ${wrong} than its text says`
  if (row.at !== Date.parse(String(said.at))) return 'is filed under another time than its text says'
  if (row.verdict !== verdictIn(said.decision)) return 'is filed under another verdict than its text says'
  return undefined
}

function verdictIn(decision: unknown): unknown {
  return typeof decision === 'object' && decision !== null && 'verdict' in decision ? decision.verdict : null
}

/** Nothing may be added to a trail of which this is true. */
export function damaged(what: string): Error {
  return Object.assign(new Error(`the trail is damaged: ${what}`), { code: 'DAMAGED' })
}
