/** What a script said on both ways, compared. Pure. */
import type { Ran } from './run-script.ts'
import type { Difference, Script } from './scripts.ts'

export type Verdict = 'same' | 'explained' | 'different'

export interface Comparison {
  readonly verdict: Verdict
  /** `- ` only directly, `+ ` only through the door. */
  readonly changes: readonly string[]
  /** Why the explained ones are as they are. */
  readonly reasons: readonly string[]
}

export function compare({ differences = [] }: Pick<Script, 'differences'>, direct: Ran, through: Ran): Comparison {
  const changes = [
    ...without(direct.lines, through.lines).map((line) => `- ${line}`),
    ...without(through.lines, direct.lines).map((line) => `+ ${line}`),
  ]
  if (changes.length === 0 && direct.passed === through.passed) return { verdict: 'same', changes, reasons: [] }
  const open = changes.filter((change) => !closing.test(change))
  const used = new Map<Difference, number>()
  const found = open.flatMap((change) => {
    const fitting = differences.find((one) => one.line.test(change) && (used.get(one) ?? 0) < (one.times ?? Infinity))
    if (fitting === undefined) return []
    used.set(fitting, (used.get(fitting) ?? 0) + 1)
    return [fitting]
  })
  const isExplained = open.length > 0 && found.length === open.length
  const reasons = [...new Set(found.map(({ why }) => why))]
  return { verdict: isExplained ? 'explained' : 'different', changes, reasons }
}

/** A script's last line says whether it passed: it follows from the others. */
const closing = /^[-+] (ok|failed) /

/** Lines of one that the other has not, as often as it has not. */
function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>()
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
  return lines.filter((line) => {
    const count = left.get(line) ?? 0
    left.set(line, count - 1)
    return count <= 0
  })
}
