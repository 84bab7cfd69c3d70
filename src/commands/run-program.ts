/** Runs a program in our place: its terminal, its signals, its exit code. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { reasonOf } from '../base/errors.ts'
import { hoopError } from '../contract/error-codes.ts'
import type { Runtime } from '../runtime.ts'

export interface Program {
  readonly program: string
  readonly args: readonly string[]
  /** Besides our own environment. */
  readonly env: Readonly<Record<string, string>>
  /** What to do where there is no such program. */
  readonly hint?: string
}

/** Resolves with the exit code; 128 + n for a program that signal n ended, as shells have it. */
export async function runProgram(runtime: Runtime, { program, args, env, hint }: Program): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit', env: { ...runtime.env, ...env } })
  const release = runtime.takeSignals((signal) => {
    // Ctrl-C at a terminal reaches the program by itself, as it is in the same foreground group: once is enough, and
    // psql takes it as "cancel this query".
    if (signal === 'SIGINT' && runtime.io.stdin.isTTY) return
    child.kill(signal)
  })
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
    })
  } catch (error) {
    throw hoopError('usage', `cannot run "${program}" (${startTrouble(error)})`, { cause: error, hint })
  } finally {
    release()
  }
}

function startTrouble(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such program'
  if (code === 'EACCES') return 'it may not be run'
  return reasonOf(error)
}
