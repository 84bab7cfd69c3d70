/** Options that many commands share, so that they read and mean the same everywhere. */
import { Command, InvalidArgumentError, Option } from 'commander'

export interface SharedFlags {
  readonly gateway?: string
  readonly json?: boolean
}

/** A command that talks to the gateway. */
export function gatewayCommandOf(name: string): Command {
  return new Command(name)
    .addOption(new Option('--gateway <url>', 'the gateway to use (HOOP_GATEWAY; default: the last sign-in)'))
    .addOption(jsonOption())
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON, and errors as one JSON object on stderr (HOOP_JSON=1)')
}

/** `examples('targets', ['hoop targets', …])`: what is printed below a command's help. */
export function examples(lines: readonly (readonly [command: string, meaning: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length))
  return `\nExamples:\n${lines.map(([command, meaning]) => `  $ ${command.padEnd(width)}  ${meaning}`).join('\n')}`
}

export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(
      `a whole number of at least ${least}${most < Number.MAX_SAFE_INTEGER ? ` and at most ${most}` : ''} is wanted.`,
    )
  }
}
