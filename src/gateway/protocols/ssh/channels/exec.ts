/** One command line: understood, cleared, and only then run at the target, as it was written. */
import type { Clearance } from '../../../checkpoint.ts'
import { holdLines } from '../../terminal/refusals.ts'
import { execCommand, unsendable } from '../commands.ts'
import { readScp } from '../scp/call.ts'
import type { RelaySession } from './channel.ts'
import { runProgram } from './program.ts'
import { sayNo, statusOfNo, tell } from './said.ts'
import { relayScp } from './scp.ts'
import { createSink } from './sink.ts'

export const relayExec: RelaySession = async (asked, connections, parts) => {
  const { checkpoint, signal, shell } = parts
  const sink = createSink(asked.channel, connections.client.socket, asked.gone)
  const command = execCommand(asked.text, shell, asked.pty !== undefined)
  const why = unsendable(asked.text)
  const clearance: Clearance =
    why === undefined
      ? await checkpoint.clear([command], { signal, onHold: (hold) => tell(asked, sink, holdLines(hold)) })
      : { refusal: await checkpoint.refuse([command], why) }
  if ('refusal' in clearance) return await sayNo(asked, sink, clearance.refusal, statusOfNo(signal))
  const [permit] = clearance.permits
  if (permit === undefined) throw new Error('no permit')
  // A terminal would change the bytes: with one, it is a program like others.
  const call = asked.pty === undefined ? readScp(asked.text) : undefined
  if (call !== undefined) return await relayScp({ asked, connections, parts, call, permit })
  await runProgram({ asked, connections, parts, sink, permit, verb: command.verb })
}
