/** `hoop help`: a command's help, or a topic's. Topics are made from the tables that the program itself uses. */
import { Command } from 'commander'
import { errorCodes, exitCodes, hoopError } from '../contract/error-codes.ts'
import type { Runtime } from '../runtime.ts'
import { createOutput } from './output/output.ts'
import { table } from './output/table.ts'
import type { Style } from './output/style.ts'

export function helpCommand(runtime: Runtime): Command {
  const command = new Command('help')
    .argument('[words...]', 'a command, or a topic: exit-codes, environment')
    .description('explain a command, or a topic: exit-codes, environment')
  return command.action(async (words: string[]) => {
    const { style, write } = createOutput(runtime, {})
    const topic = topics[words[0] ?? '']
    if (topic !== undefined) return write(topic(style))
    named(command.parent ?? command, words).outputHelp()
  })
}

function named(program: Command, words: readonly string[]): Command {
  return words.reduce<Command>((at, word) => {
    const next = at.commands.find((command) => command.name() === word)
    if (next === undefined)
      throw hoopError('usage', `there is no help on "${words.join(' ')}"`, { hint: 'see "hoop --help"' })
    return next
  }, program)
}

const topics: Readonly<Record<string, (style: Style) => string>> = {
  'exit-codes': exitCodeTopic,
  environment: environmentTopic,
}

const summaries: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: 'done',
  error: 'an error: it did not work',
  usage: 'the command line is not understood, or it was cancelled',
  denied: 'denied by a rule, or you may not do that',
  signInNeeded: 'a sign-in is needed',
  approvalDenied: 'a reviewer said no',
  approvalExpired: 'nobody decided in time',
  auditUnavailable: 'the audit is unavailable, so nothing happens',
  pending: 'waits for more reviewers',
}

function exitCodeTopic(style: Style): string {
  const codes = Object.entries(exitCodes).map(([name, code]) => [
    style('heading', String(code)),
    summaries[name as keyof typeof exitCodes], // Object.entries forgets the key's type.
  ])
  const errors = Object.entries(errorCodes).map(([name, { exit, meaning }]) => [name, String(exitCodes[exit]), meaning])
  return `${table(['EXIT', 'MEANING'], codes, style)}
With --json an error is one line on stderr: {"error":{"code":"…","message":"…","hint":"…","exit":N}}

${table(['CODE', 'EXIT', 'MEANING'], errors, style)}
"hoop connect … -- command" and "hoop ssh" exit with the command's own exit code.
`
}

/** Every variable that hoop reads, and what it means. */
export const variables = {
  HOOP_GATEWAY: 'the gateway to use; otherwise the one of the last sign-in',
  HOOP_TOKEN: 'an access token, used as it is instead of a sign-in',
  HOOP_AGENT: 'the agent that acts for you, recorded beside your name (as --agent)',
  HOOP_REASON: 'why you connect, recorded with the session (as --reason)',
  HOOP_SESSION: 'the session that "hoop proxy" joins while it lives; set by "hoop connect … -- program"',
  HOOP_CONFIG: 'the configuration of "hoop gateway" (as --config)',
  HOOP_JSON: '1: as --json on every command',
  HOOP_DEBUG: '1: as --debug',
  HOOP_NO_BROWSER: '1: as --no-browser',
  HOOP_TOKEN_STORE: 'auto, keychain or file: where "hoop login" keeps tokens',
  NO_COLOR: 'set: no colours. FORCE_COLOR=1: colours also without a terminal',
  HTTPS_PROXY: 'an HTTP proxy on the way to the gateway; NO_PROXY excepts hosts',
  NODE_EXTRA_CA_CERTS: 'PEM file with a certificate authority of your own',
  XDG_CONFIG_HOME: 'config.json is in hoop/ there (default ~/.config)',
  XDG_STATE_HOME: 'sign-ins and ports are in hoop/ there (default ~/.local/state)',
} as const

function environmentTopic(style: Style): string {
  const rows = Object.entries(variables).map(([name, meaning]) => [style('name', name), meaning])
  return `${table(['VARIABLE', 'MEANING'], rows, style)}
~/.config/hoop/config.json may set gateway, agent, reason, browser (false) and tokenStore.
A flag goes before a variable, a variable before the file.
`
}
