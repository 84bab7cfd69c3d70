/**
 * What a command line would do, read by a shell's own grammar: which programs run, on what, and what cannot be known.
 *
 * line → script.ts (a tree) → agreement.ts (mvdan/sh confirms it) → effects.ts, with programs/ → found.ts (facts)
 */
import { createRecent } from '../../../base/recent.ts'
import { agreed } from './agreed.ts'
import { effectsOf, effectsOfProgram } from './effects.ts'
import { type Found, notUnderstood } from './found.ts'
import { createParser } from './parser.ts'
import type { Reading } from './reading.ts'
import { plainWord } from './tree.ts'

export interface Where {
  /**
   * It runs on a terminal, or was typed at its prompt: pagers take orders there, and `!` brings back what was typed before.
   */
  readonly terminal?: boolean
}

export interface ShellReader {
  /**
   * A line as a POSIX or bash shell would be given it. Never throws: what is not understood is `parsed: false`. The same
   * line gives the same reading, while it is remembered.
   */
  read(line: string, where?: Where): Reading
  /** A program and its arguments, started without a shell. */
  readArguments(argv: readonly string[], where?: Where): Reading
}

export interface ShellReaderOptions {
  /** Longer lines are not judged: they count as unparsed. */
  readonly maxBytes: number
}

const mostRemembered = 1000
const mostBytesRemembered = 1024 * 1024

export async function createShellReader({ maxBytes }: ShellReaderOptions): Promise<ShellReader> {
  const parser = await createParser()
  const recent = createRecent<Reading>(mostRemembered, mostBytesRemembered)

  function remembered(key: string, find: () => Found): Reading {
    const known = recent.get(key)
    if (known !== undefined) return known
    let reading: Reading
    try {
      reading = find().reading() ?? notUnderstood()
    } catch {
      // Fail closed, whatever went wrong: NotUnderstood is the usual one.
      reading = notUnderstood()
    }
    recent.set(key, reading, key.length)
    return reading
  }

  return {
    read(line, { terminal = false } = {}) {
      if (Buffer.byteLength(line) > maxBytes) return notUnderstood()
      return remembered(`${terminal ? 't' : 'l'}${line}`, () => {
        const found = effectsOf(agreed(line, parser), { parser, terminal })
        if (terminal && isPutTogether(line)) found.dynamic = true
        return found
      })
    },
    readArguments(argv, { terminal = false } = {}) {
      if (argv.reduce((sum, word) => sum + Buffer.byteLength(word), 0) > maxBytes || argv.length === 0)
        return notUnderstood()
      return remembered(`${terminal ? 'T' : 'A'}${JSON.stringify(argv)}`, () =>
        effectsOfProgram(argv.map(plainWord), { parser, terminal }),
      )
    },
  }
}

/**
 * `!rm`, `!!`, `^a^b`: history, which is put in before the line is read. And at zsh's prompt `#` begins no comment.
 */
function isPutTogether(line: string): boolean {
  return /!(?![\s=("']|$)/.test(line.replace(/'[^']*'/g, '')) || line.startsWith('^') || /(?:^|[\s;&|()])#/.test(line)
}
