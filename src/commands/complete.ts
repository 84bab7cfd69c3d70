/** What could come next on a command line: the hidden end of `hoop completion`. Never fails aloud and never waits long. */
import type { Command, Option } from 'commander'
import { visibleLine } from '../base/visible.ts'
import type { GatewayClient } from '../gateway-client/client.ts'
import type { Runtime } from '../runtime.ts'

export interface Candidate {
  readonly value: string
  readonly meaning: string
}

/** Names that only the gateway knows. */
export type Names = 'targets' | 'ssh-targets' | 'sessions' | 'approvals'

const patienceMs = 1500

/** Commands whose target is one of SSH. */
const sshCommands: readonly string[] = ['ssh', 'proxy']

/** Prints the candidates for the last of `words`, one a line: value, tab, meaning. */
export async function complete(runtime: Runtime, program: Command, words: readonly string[]): Promise<void> {
  const names = (kind: Names) => inTime(namesFrom(runtime, kind, gatewayIn(words)))
  const found = await candidates(program, words, names)
  // A tab or a line feed inside a name would become another candidate; visibleLine shows them instead.
  for (const { value, meaning } of found)
    runtime.io.stdout.write(`${visibleLine(value)}\t${visibleLine(meaning).slice(0, 60)}\n`)
}

export async function candidates(
  program: Command,
  words: readonly string[],
  names: (kind: Names) => Promise<readonly Candidate[]>,
): Promise<readonly Candidate[]> {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  if (before.includes('--')) return []
  const { command, operands, awaiting } = walk(program, before)
  // What stands behind the target is ssh's.
  if (command.name() === 'ssh' && operands.length > 0) return []
  const found = await offers()
  return found.filter(({ value }) => value.startsWith(current))

  async function offers(): Promise<readonly Candidate[]> {
    if (awaiting !== undefined) return valuesOf(awaiting, names)
    if (current.startsWith('-')) return optionsOf(command)
    const children = operands.length > 0 ? [] : command.commands.map((child) => named(child.name(), firstLine(child)))
    return [...children, ...(await operandsOf(command, operands, names))]
  }
}

/** The command that these words have reached, the operands it was given, and the option that still wants its value. */
function walk(
  program: Command,
  words: readonly string[],
): { command: Command; operands: readonly string[]; awaiting: Option | undefined } {
  let command = program
  let operands: string[] = []
  let awaiting: Option | undefined
  for (const word of words) {
    if (awaiting !== undefined) {
      awaiting = undefined
    } else if (word.startsWith('-')) {
      const option = findOption(command, word)
      awaiting = option?.required ? option : undefined
    } else {
      const child = operands.length === 0 ? command.commands.find((each) => each.name() === word) : undefined
      if (child === undefined) operands = [...operands, word]
      else command = child
    }
  }
  return { command, operands, awaiting }
}

function findOption(command: Command, word: string): Option | undefined {
  const own = command.options.find((option) => option.long === word || option.short === word)
  return own ?? (command.parent === null ? undefined : findOption(command.parent, word))
}

function optionsOf(command: Command): readonly Candidate[] {
  const own = command.options
    .filter((option) => !option.hidden)
    .map((option) => named(option.long ?? option.short ?? '', option.description))
  return [...own, named('--help', 'explain the command')]
}

async function valuesOf(
  option: Option,
  names: (kind: Names) => Promise<readonly Candidate[]>,
): Promise<readonly Candidate[]> {
  if (option.argChoices !== undefined) return option.argChoices.map((choice) => named(choice, ''))
  if (option.long === '--target') return names('targets')
  if (option.long === '--session') return names('sessions')
  return []
}

async function operandsOf(
  command: Command,
  given: readonly string[],
  names: (kind: Names) => Promise<readonly Candidate[]>,
): Promise<readonly Candidate[]> {
  const argument =
    command.registeredArguments[given.length] ?? command.registeredArguments.find((each) => each.variadic)
  if (argument === undefined) return []
  if (argument.argChoices !== undefined) return argument.argChoices.map((choice) => named(choice, ''))
  const overSsh = sshCommands.includes(command.name())
  const kind = { target: overSsh ? 'ssh-targets' : 'targets', session: 'sessions', approval: 'approvals' } as const
  const wanted = Object.entries(kind).find(([name]) => name === argument.name())?.[1]
  if (wanted === undefined) return command.name() === 'help' ? helpWords(command) : []
  const found = await names(wanted)
  return found.filter(({ value }) => !given.includes(value))
}

function helpWords(command: Command): readonly Candidate[] {
  const commands = command.parent?.commands.map((each) => named(each.name(), firstLine(each))) ?? []
  return [...commands, named('exit-codes', 'what hoop exits with'), named('environment', 'variables that hoop reads')]
}

function named(value: string, meaning: string): Candidate {
  return { value, meaning }
}

function firstLine(command: Command): string {
  return command.description().split('\n')[0] ?? ''
}

function gatewayIn(words: readonly string[]): string | undefined {
  const index = words.indexOf('--gateway')
  const joined = words.find((word) => word.startsWith('--gateway='))
  return joined?.slice('--gateway='.length) ?? (index === -1 ? undefined : words[index + 1])
}

async function namesFrom(runtime: Runtime, kind: Names, gateway: string | undefined): Promise<readonly Candidate[]> {
  const { client } = await runtime.door(gateway)
  return ask(client, kind)
}

async function ask(client: GatewayClient, kind: Names): Promise<readonly Candidate[]> {
  if (kind === 'targets' || kind === 'ssh-targets') {
    const targets = (await client.targets()).filter(({ protocol }) => kind === 'targets' || protocol === 'ssh')
    return targets.map(({ name, whyNot, description }) => named(name, whyNot ?? description ?? ''))
  }
  if (kind === 'approvals') {
    const approvals = await client.approvals('pending')
    return approvals.map(({ id, user, commands }) => named(id, `${user}: ${commands[0]?.asked.text ?? ''}`))
  }
  const sessions = await client.sessions({ live: false, limit: 30 })
  return sessions.map(({ id, user, targets }) => named(id, `${user} on ${targets.join(' ')}`)).reverse()
}

/** Nobody waits for a completion; a gateway that is away offers no names. */
async function inTime(found: Promise<readonly Candidate[]>): Promise<readonly Candidate[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<readonly Candidate[]>((resolve) => {
    timer = setTimeout(() => resolve([]), patienceMs)
  })
  try {
    return await Promise.race([found.catch(() => []), late])
  } finally {
    clearTimeout(timer)
  }
}
