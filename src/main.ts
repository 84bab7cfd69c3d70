/**
 * The program: from words to an exit code, and the one place where errors become exit codes and hints. The tree of commands
 * is program.ts. It returns the exit code; ending the process is bin/hoop.js' business.
 */
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { ownVersion } from './base/version.ts'
import { splitWords } from './commands/words.ts'
import { exitCodeOf, exitCodes, hoopError } from './contract/error-codes.ts'
import { createRuntime, isOn, type Runtime } from './runtime.ts'

/** How long a command may take to end after Ctrl-C before it is left behind. */
const graceMs = 3000

/** What the program needs of a process. */
export type Host = Pick<NodeJS.Process, 'argv' | 'env' | 'stdin' | 'stdout' | 'stderr' | 'on' | 'off' | 'platform'>

/** Never rejects. */
export async function main(host: Host): Promise<number> {
  const argv = host.argv.slice(2)
  const { own, rest } = splitWords(argv)
  const stop = new AbortController()
  const ends = Promise.withResolvers<never>()
  ends.promise.catch(() => undefined)
  const { release, takeSignals } = listen(host, stop, ends.reject, own[0] !== 'gateway')
  const runtime = createRuntime({
    env: host.env,
    io: host,
    home: homedir(),
    program: [process.execPath, resolve(host.argv[1] ?? 'hoop')],
    version: ownVersion(),
    signal: stop.signal,
    takeSignals,
    platform: host.platform,
  })
  try {
    if (own[0] === '__complete') await complete(runtime, argv.slice(1))
    else await untilStopped(run(runtime, own, rest), stop.signal, ends.promise)
    return runtime.exitCode
  } catch (error) {
    if (stop.signal.aborted && stop.signal.reason === outputGone) return exitCodes.done
    return await fail(host, own, error)
  } finally {
    await runtime.close().catch(() => undefined)
    await drained(host)
    release()
  }
}

async function run(runtime: Runtime, own: readonly string[], rest: readonly string[]): Promise<void> {
  const proxy = plainProxy(own)
  if (proxy !== undefined) return (await import('./commands/run-proxy.ts')).runProxy(runtime, proxy)
  const { createProgram, parse } = await import('./program.ts')
  return parse(createProgram(runtime, rest), own)
}

async function complete(runtime: Runtime, words: readonly string[]): Promise<void> {
  const { createProgram } = await import('./program.ts')
  const { complete } = await import('./commands/complete.ts')
  await complete(runtime, createProgram(runtime, []), words)
}

/**
 * `proxy HOST`, as ssh_config has it: it runs before every `ssh`, and the tree of all commands takes longer to load than
 * everything that this one does. Any other spelling takes the long way to the same.
 */
function plainProxy([command, ...words]: readonly string[]): { host: string; gateway?: string } | undefined {
  if (command !== 'proxy') return undefined
  const [host, gateway] = words[0] === '--gateway' && words.length === 3 ? [words[2], words[1]] : [words[0]]
  if (host === undefined || host.startsWith('-') || words.length > (gateway === undefined ? 1 : 3)) return undefined
  return gateway === undefined ? { host } : { host, gateway }
}

const outputGone = hoopError('cancelled', 'nobody reads the output any more')

/**
 * Ctrl-C once asks the command to end, twice leaves it behind, as does a defect that nobody caught. The terminal going away
 * counts as Ctrl-C, except for a gateway, which takes SIGHUP for another thing.
 */
function listen(
  host: Host,
  stop: AbortController,
  leave: (reason: unknown) => void,
  endsOnHangup: boolean,
): { release: () => void; takeSignals: Runtime['takeSignals'] } {
  let taker: ((signal: NodeJS.Signals) => void) | undefined
  const heard = (signal: NodeJS.Signals) => {
    if (taker !== undefined) return taker(signal)
    if (stop.signal.aborted) leave(stop.signal.reason)
    stop.abort(hoopError('cancelled', signal === 'SIGINT' ? 'interrupted' : 'told to stop'))
  }
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', ...(endsOnHangup ? (['SIGHUP'] as const) : [])]
  const lost = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') stop.abort(outputGone)
    else leave(hoopError('internal', `cannot write (${error.message})`, { cause: error }))
  }
  for (const signal of signals) host.on(signal, heard)
  host.on('uncaughtException', leave)
  // These stay to the end: what is written last may also find nobody there.
  host.stdout.on('error', lost)
  host.stderr.on('error', lost)
  return {
    release() {
      for (const signal of signals) host.off(signal, heard)
      host.off('uncaughtException', leave)
    },
    takeSignals(handler) {
      taker = handler
      return () => {
        taker = undefined
      }
    },
  }
}

/** A command that does not notice that it should end is not waited for. */
async function untilStopped(work: Promise<void>, signal: AbortSignal, ends: Promise<never>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const left = new Promise<never>((_resolve, reject) => {
    const wait = () => {
      timer = setTimeout(() => reject(signal.reason), graceMs)
    }
    if (signal.aborted) wait()
    else signal.addEventListener('abort', wait, { once: true })
  })
  try {
    await Promise.race([work, left, ends])
  } finally {
    clearTimeout(timer)
  }
}

async function fail(host: Host, argv: readonly string[], error: unknown): Promise<number> {
  const { printError } = await import('./commands/output/error.ts')
  printError(host.stderr, error, {
    json: argv.includes('--json') || isOn(host.env.HOOP_JSON),
    debug: argv.includes('--debug') || isOn(host.env.HOOP_DEBUG),
    env: host.env,
  })
  return exitCodeOf(error)
}

/** What was written has to be out before the process ends. */
async function drained(host: Host): Promise<void> {
  await Promise.all(
    [host.stdout, host.stderr].map(
      (stream) =>
        new Promise<void>((resolve) => {
          if (stream.destroyed || stream.writableLength === 0) resolve()
          else stream.write('', () => resolve())
        }),
    ),
  )
}
