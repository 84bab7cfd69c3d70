/** `hoop deny`: says no to a held command. */
import { type Command, Option } from 'commander'
import type { Runtime } from '../runtime.ts'
import { decideOn } from './decide.ts'
import { examples, gatewayCommandOf, type SharedFlags } from './flags.ts'
import { createOutput } from './output/output.ts'

export interface DenyOptions extends SharedFlags {
  readonly id: string
  readonly reason?: string
}

export function denyCommand(runtime: Runtime, run = runDeny): Command {
  const command = gatewayCommandOf('deny')
    .description('deny a held command')
    .argument('<approval>', 'its id')
    .addOption(new Option('--reason <text>', 'why; recorded, and told to whoever waits'))
    .addHelpText('after', examples([['hoop deny apr_7k2m9q4x1v3t --reason "not on a Friday"', 'one decision']]))
  return command.action((id: string) => run(runtime, { ...command.optsWithGlobals(), id }))
}

export async function runDeny(runtime: Runtime, options: DenyOptions): Promise<void> {
  await decideOn(runtime, createOutput(runtime, options), { ...options, decision: 'deny' })
}
