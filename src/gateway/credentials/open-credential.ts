/**
 * Fetches a target's secret by its reference, for one admitted connection: nothing is kept, so a rotated secret is used
 * from the next connection on. Errors say which reference failed and how, never what was read.
 */
import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { reasonOf } from '../../base/errors.ts'
import { Secret } from '../../base/secret.ts'
import { hoopError } from '../../contract/error-codes.ts'

/** Far longer than any password, key or token; a reference to the wrong file should not fill the memory. */
const longestBytes = 64 * 1024
const programTimeoutMs = 10_000

export type OpenCredential = (reference: string | undefined, signal: AbortSignal) => Promise<Secret | undefined>

/** `env` is what env:// reads from and what exec:// programs are given to find their own way (PATH, HOME and the like). */
export function createOpenCredential(env: Readonly<Record<string, string | undefined>>): OpenCredential {
  return async (reference, signal) => {
    if (reference === undefined) return undefined
    try {
      const value = withoutLastNewline(await read(reference, env, signal))
      if (value === '') throw new Error('it is empty')
      return new Secret(value)
    } catch (error) {
      if (signal.aborted) throw hoopError('cancelled', 'the connection ended before its credential was opened')
      throw hoopError('target-refused', `the gateway cannot open the credential ${withoutQuery(reference)}`, {
        cause: new Error(reasonOf(error)),
      })
    }
  }
}

async function read(
  reference: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<string> {
  const url = new URL(reference)
  switch (url.protocol) {
    case 'env:': {
      // Not url.host: that is put in lower case.
      const name = reference.slice('env://'.length)
      const value = env[name]
      if (value === undefined) throw new Error(`the environment variable ${name} is not set`)
      return value
    }
    case 'file:': {
      const path = fileURLToPath(url)
      const { size } = await stat(path)
      if (size > longestBytes) throw new Error(`it is larger than ${longestBytes} bytes`)
      return await readFile(path, { encoding: 'utf8', signal })
    }
    case 'exec:':
      return await run(url, env, signal)
    default:
      throw new Error(`${url.protocol}// is no way to refer to a secret`)
  }
}

/** No shell: the program and its arguments are taken as they stand. */
async function run(url: URL, env: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Promise<string> {
  const args = url.searchParams.getAll('arg')
  const options = {
    env: { ...env },
    signal,
    timeout: programTimeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: longestBytes,
  } as const
  try {
    const { stdout } = await promisify(execFile)(decodeURIComponent(url.pathname), args, options)
    return stdout
  } catch (error) {
    // Not the message: it holds the arguments, and what the program said, which may be the secret.
    throw new Error(howItEnded(error))
  }
}

function howItEnded(error: unknown): string {
  if (!(error instanceof Error)) return 'the program failed'
  if ('code' in error && error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
    return `it wrote more than ${longestBytes} bytes`
  if ('killed' in error && error.killed === true) return `it did not finish within ${programTimeoutMs / 1000} s`
  if ('code' in error && typeof error.code === 'number') return `the program ended with status ${error.code}`
  if ('code' in error && typeof error.code === 'string') return `the program cannot be run (${error.code})`
  return 'the program failed'
}

/** Files and programs end with one; it belongs to the line, not to the secret. */
function withoutLastNewline(value: string): string {
  return value.replace(/\r?\n$/, '')
}

/** Arguments of a program may be confidential. */
function withoutQuery(reference: string): string {
  return reference.replace(/\?.*$/s, '')
}
