/** May this line go to the shell? The same question whether it was typed at a prompt or comes from a script. */
import type { Asking, Clearance } from '../../../checkpoint.ts'
import type { ChannelParts } from '../channels/channel.ts'
import { execCommand, unsendable } from '../commands.ts'

export async function judgeLine(
  line: string,
  { checkpoint, shell }: Pick<ChannelParts, 'checkpoint' | 'shell'>,
  asking: Asking,
): Promise<Clearance> {
  const command = execCommand(line, shell, true)
  const why = isContinued(line) ? 'a line that goes on behind its end is judged in one piece only' : unsendable(line)
  if (why !== undefined) return { refusal: await checkpoint.refuse([command], why) }
  return await checkpoint.clear([command], asking)
}

/** The shell would put the next line's words behind it, and `r\` and `m -rf x` are something else together. */
function isContinued(line: string): boolean {
  return (/\\*$/.exec(line)?.[0].length ?? 0) % 2 === 1
}
