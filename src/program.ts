/**
 * The tree of commands, and what is wrong with a command line. Commands load what they need when they run, so that help
 * answers at once.
 */
import { Command, CommanderError, Option } from 'commander'
import { approveCommand } from './commands/approve.ts'
import { completionCommand } from './commands/completion.ts'
import { connectCommand } from './commands/connect.ts'
import { demoCommand } from './commands/demo.ts'
import { denyCommand } from './commands/deny.ts'
import { gatewayCommand } from './commands/gateway.ts'
import { helpCommand } from './commands/help.ts'
import { loginCommand } from './commands/login.ts'
import { logoutCommand } from './commands/logout.ts'
import { logsCommand } from './commands/logs.ts'
import { proxyCommand } from './commands/proxy.ts'
import { replayCommand } from './commands/replay.ts'
import { sessionsCommand } from './commands/sessions.ts'
import { sshConfigCommand } from './commands/ssh-config.ts'
import { sshCommand } from './commands/ssh.ts'
import { statusCommand } from './commands/status.ts'
import { targetsCommand } from './commands/targets.ts'
import { hoopError } from './contract/error-codes.ts'
import type { Runtime } from './runtime.ts'

export function createProgram(runtime: Runtime, rest: readonly string[]): Command {
  const program = new Command('hoop')
    .description(
      'One door in front of databases, shells, clusters and APIs: every command is identified, written down, judged and held where a rule says so.',
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
    [
      'Work:',
      [
        targetsCommand(runtime),
        connectCommand(runtime, rest),
        sshCommand(runtime, rest),
        sshConfigCommand(runtime),
        proxyCommand(runtime),
      ],
    ],
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

/** What is wrong with a command line is thrown as `usage`. */
export async function parse(program: Command, argv: readonly string[]): Promise<void> {
  if (argv.length === 0) {
    program.outputHelp()
    return
  }
  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Help and version are answered by then.
    if (error.exitCode === 0) return
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
