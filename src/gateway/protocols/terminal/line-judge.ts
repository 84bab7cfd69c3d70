/** May this line go to the shell? The same question whether it was typed at a prompt or comes from a script. */
import type { Command } from '../../../contract/command.ts'
import type { Outcome } from '../../../contract/record.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Asking, Checkpoint, Clearance, Permit } from '../../checkpoint.ts'

/** What lines are, in the words of the protocol that they come through. */
export interface LineCommands {
  line(text: string): Command
  /** Typed where nothing is shown: a password, or a command in a shell whose echo is off. What it was is not kept. */
  readonly hidden: Command
  /** A line that could not be read off the screen. */
  readonly unreadable: Command
  /** Why a line cannot be forwarded as it was asked, if so. */
  unsendable(text: string): string | undefined
}

export interface LineJudge {
  line(text: string, asking: Asking): Promise<Clearance>
  hidden(asking: Asking): Promise<Clearance>
  unreadable(why: string): Promise<Refusal>
  settle(permit: Permit, outcome: Outcome): void
}

export function createLineJudge(checkpoint: Checkpoint, commands: LineCommands): LineJudge {
  return {
    async line(text, asking) {
      const command = commands.line(text)
      const why = isContinued(text)
        ? 'a line that goes on behind its end is judged in one piece only'
        : commands.unsendable(text)
      if (why !== undefined) return { refusal: await checkpoint.refuse([command], why) }
      return await checkpoint.clear([command], asking)
    },
    hidden: (asking) => checkpoint.clear([commands.hidden], asking),
    unreadable: (why) => checkpoint.refuse([commands.unreadable], `the line cannot be read: ${why}`),
    settle: checkpoint.settle,
  }
}

/** The shell would put the next line's words behind it, and `r\` and `m -rf x` are something else together. */
function isContinued(line: string): boolean {
  return (/\\*$/.exec(line)?.[0].length ?? 0) % 2 === 1
}
