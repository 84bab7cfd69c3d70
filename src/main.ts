/**
 * The program: the tree of commands, and the one place where errors become exit codes and hints. Commands load what they
 * need when they run, so that help answers at once. It returns the exit code; ending the process is bin/hoop.js' business.
 */
import { homedir } from 'node:os'
import { Command, CommanderError, Option } from 'commander'
import { ownVersion } from './base/version.ts'
import { approveCommand } from './commands/approve.ts'
import { complete } from './commands/complete.ts'
import { completionCommand } from './commands/completion.ts'
import { connectCommand } from './commands/connect.ts'
import { demoCommand } from './commands/demo.ts'
import { denyCommand } from './commands/deny.ts'
import { gatewayCommand } from './commands/gateway.ts'
import { helpCommand } from './commands/help.ts'
import { loginCommand } from './commands/login.ts'
import { logoutCommand } from './commands/logout.ts'
import { logsCommand } from './commands/logs.ts'
import { printError } from './commands/output/error.ts'
import { replayCommand } from './commands/replay.ts'
import { sessionsCommand } from './commands/sessions.ts'
import { statusCommand } from './commands/status.ts'
import { targetsCommand } from './commands/targets.ts'
import { exitCodeOf, exitCodes, hoopError } from './contract/error-codes.ts'
import { createRuntime, isOn, type Runtime } from './runtime.ts'

/** How long a command may take to end after Ctrl-C before it is left behind. */
const graceMs = 3000

/** What the program needs of a process. */
export type Host = Pick<NodeJS.Process, 'argv' | 'env' | 'stdin' | 'stdout' | 'stderr' | 'on' | 'off' | 'platform'>

/** Never rejects. */
export async function main(host: Host): Promise<number> {
  const argv = host.argv.slice(2)
  const { own, rest } = splitAtDashes(argv)
  const stop = new AbortController()
  const ends = Promise.withResolvers<never>()
  ends.promise.catch(() => undefined)
  const { release, takeSignals } = listen(host, stop, ends.reject, own[0] !== 'gateway')
  const runtime = createRuntime({
    env: host.env,
    io: host,
    home: homedir(),
    version: ownVersion(),
    signal: stop.signal,
    takeSignals,
    platform: host.platform,
  })
  try {
    if (own[0] === '__complete') await complete(runtime, createProgram(runtime, []), argv.slice(1))
    else await untilStopped(parse(createProgram(runtime, rest), own), stop.signal, ends.promise)
    return runtime.exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done
    if (stop.signal.aborted && stop.signal.reason === outputGone) return exitCodes.done
    return fail(host, own, error)
  } finally {
    await runtime.close().catch(() => undefined)
    await drained(host)
    release()
  }
}

export function createProgram(runtime: Runtime, rest: readonly string[]): Command {
  const program = new Command('hoop')
    .description(
      'One door in front of databases: every command is identified, written down, judged and held where a rule says so.',
    )
    .version(runtime.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain the command')
    .helpCommand(false)
    .addOption(new Option('--gateway <url>').hideHelp())
    .addOption(new Option('--json').hideHelp())
    .addOption(new Option('--debug', 'show where an error came from (HOOP_DEBUG=1)'))
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => runtime.io.stdout.write(text),
      writeErr: (text) => runtime.io.stderr.write(text),
      // What is wrong with a command line is said by main, in the form that was asked for.
      outputError: () => undefined,
    })
    .exitOverride()
    .addHelpText('after', '\nMore: "hoop help <command>", "hoop help exit-codes", "hoop help environment".')

  const groups: readonly (readonly [string, readonly Command[]])[] = [
    ['Start here:', [demoCommand(runtime), loginCommand(runtime), statusCommand(runtime), logoutCommand(runtime)]],
    ['Work:', [targetsCommand(runtime), connectCommand(runtime, rest)]],
    [
      'Review:',
      [
        approveCommand(runtime),
        denyCommand(runtime),
        sessionsCommand(runtime),
        logsCommand(runtime),
        replayCommand(runtime),
      ],
    ],
    ['Run:', [gatewayCommand(runtime)]],
    ['Help:', [completionCommand(runtime), helpCommand(runtime)]],
  ]
  for (const [heading, commands] of groups)
    for (const command of commands) {
      program.addCommand(command.helpGroup(heading))
      inherit(command, program)
    }
  return program
}

/** addCommand leaves a command with settings of its own: without this its mistakes would end the process. */
function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent)
  for (const child of command.commands) inherit(child, command)
}

async function parse(program: Command, argv: readonly string[]): Promise<void> {
  if (argv.length === 0) {
    program.outputHelp()
    return
  }
  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode === 0) throw error
    throw misuse(error, argv)
  }
}

/** `error: unknown option '--jsn'\n(Did you mean --json?)` → a sentence and what to do next. */
function misuse(error: CommanderError, argv: readonly string[]): Error {
  if (error.code === 'commander.help') return hoopError('usage', 'a command is missing', { hint: 'see "hoop --help"' })
  const [sentence = '', guess] = error.message.replace(/^error: /, '').split('\n')
  const command = argv.find((word) => !word.startsWith('-'))
  const help =
    command === undefined || error.code === 'commander.unknownCommand' ? 'hoop --help' : `hoop help ${command}`
  const meant = guess?.match(/\((Did you mean .*)\)/)?.[1]
  return hoopError('usage', sentence.replace(/\.$/, ''), {
    hint: `${meant === undefined ? '' : `${meant} `}see "${help}"`,
  })
}

/** What comes after `--` is another program's business: its options are not ours. */
function splitAtDashes(argv: readonly string[]): { own: readonly string[]; rest: readonly string[] } {
  const dashes = argv.indexOf('--')
  return dashes === -1 ? { own: argv, rest: [] } : { own: argv.slice(0, dashes), rest: argv.slice(dashes + 1) }
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

function fail(host: Host, argv: readonly string[], error: unknown): number {
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
