/** `hoop targets`: what I may use, and why not the rest. */
import type { Command } from 'commander'
import type { TargetInfo } from '../contract/api.ts'
import { visibleLine } from '../base/visible.ts'
import type { Runtime } from '../runtime.ts'
import { examples, gatewayCommandOf, type SharedFlags } from './flags.ts'
import { createOutput } from './output/output.ts'
import type { Style } from './output/style.ts'
import { table } from './output/table.ts'

export type TargetsOptions = SharedFlags

export function targetsCommand(runtime: Runtime, run = runTargets): Command {
  const command = gatewayCommandOf('targets')
    .description('list the targets: what you may use, and why not the rest')
    .addHelpText(
      'after',
      examples([
        ['hoop targets', 'names, protocols, labels'],
        ["hoop targets --json | jq -r '.[] | select(.whyNot == null).name'", 'only the names you may use'],
      ]),
    )
  return command.action(() => run(runtime, command.optsWithGlobals()))
}

export async function runTargets(runtime: Runtime, options: TargetsOptions): Promise<void> {
  const output = createOutput(runtime, options)
  const { client } = await runtime.door(options.gateway)
  const targets = await client.targets()
  if (output.json) return output.document(targets)
  if (targets.length === 0) return output.talk('no targets: the gateway has none configured')
  await output.write(targetTable(targets, output.style))
}

function targetTable(targets: readonly TargetInfo[], style: Style): string {
  return table(
    ['TARGET', 'PROTOCOL', 'LABELS', 'DESCRIPTION', 'YOU'],
    targets.map((target) => [
      target.whyNot === null ? style('name', target.name) : style('quiet', target.name),
      target.protocol,
      visibleLine(
        Object.entries(target.labels)
          .map(([name, value]) => `${name}=${value}`)
          .join(','),
      ),
      visibleLine(target.description ?? ''),
      target.whyNot === null ? style('good', 'may use it') : style('bad', visibleLine(target.whyNot)),
    ]),
    style,
  )
}
