/**
 * Lines on their way to a shell without a terminal (`ssh host < script`): what comes is exactly what the shell reads, so it
 * is cut into lines and each is judged alone before it goes. What programs read from the same input (`read`, a here-document)
 * is judged as if it were a command. A refused line ends it: those behind it count on it.
 */
import type { Refusal } from '../../../contract/refusal.ts'
import type { Hold, Permit } from '../../checkpoint.ts'
import type { LineJudge } from './line-judge.ts'
import { holdLines } from './refusals.ts'

export interface ScriptLinesParts {
  readonly judge: LineJudge
  /** Aborted when the shell ends, or whoever sends it is gone. */
  readonly signal: AbortSignal
  send(bytes: Buffer): Promise<void>
  tell(lines: readonly string[]): void
  /** For the recording. */
  typed(line: string): void
}

const newline = 0x0a
/** Longer lines count as not understood anyway. */
const longestLine = 1024 * 1024

/** Until the input ends, or a line is refused: then with its refusal. */
export async function passScript(input: AsyncIterable<Buffer>, parts: ScriptLinesParts): Promise<Refusal | undefined> {
  const { judge, signal } = parts
  let begun: Buffer = Buffer.alloc(0)
  const permits: Permit[] = []
  try {
    for await (const chunk of input) {
      begun = begun.length === 0 ? chunk : Buffer.concat([begun, chunk])
      for (let end = begun.indexOf(newline); end >= 0; end = begun.indexOf(newline)) {
        const refusal = await pass(begun.subarray(0, end + 1))
        if (refusal !== undefined) return refusal
        begun = begun.subarray(end + 1)
      }
      if (begun.length > longestLine) return await tooLong()
    }
    return begun.length === 0 ? undefined : await pass(begun)
  } finally {
    for (const permit of permits) judge.settle(permit, { status: 'done', summary: 'sent to the shell' })
  }

  async function pass(line: Buffer): Promise<Refusal | undefined> {
    const text = line.toString().replace(/\r?\n$/, '')
    if (text.trim() !== '') {
      const onHold = (hold: Hold) => parts.tell(holdLines(hold))
      const clearance = await judge.line(text, { signal, onHold })
      if ('refusal' in clearance) return clearance.refusal
      permits.push(...clearance.permits)
      parts.typed(text)
    }
    await parts.send(line)
    return undefined
  }

  async function tooLong(): Promise<Refusal> {
    const clearance = await judge.line(begun.toString(), { signal })
    if ('refusal' in clearance) return clearance.refusal
    for (const permit of clearance.permits) judge.settle(permit, { status: 'not-run' })
    return { code: 'not-understood', message: 'refused: a line of the script is too long', next: 'copy it as a file' }
  }
}
