/** `hoop status`: who am I, at which gateway, until when, and where my tokens are. */
import type { Command } from 'commander'
import { visibleLine } from '../base/visible.ts'
import type { Me, WellKnown } from '../contract/api.ts'
import { hoopError } from '../contract/error-codes.ts'
import type { Runtime } from '../runtime.ts'
import { examples, gatewayCommandOf, type SharedFlags } from './flags.ts'
import { createOutput, type Output } from './output/output.ts'
import { pairs } from './output/table.ts'
import { fromNow } from './output/time.ts'

export type StatusOptions = SharedFlags

export function statusCommand(runtime: Runtime, run = runStatus): Command {
  const command = gatewayCommandOf('status')
    .description('who am I, at which gateway, until when, and where my tokens are')
    .addHelpText(
      'after',
      examples([
        ['hoop status', 'exit code 4 if a sign-in is needed'],
        ['hoop status --json', 'for programs'],
      ]),
    )
  return command.action(() => run(runtime, command.optsWithGlobals()))
}

interface Kept {
  /** When the token ends; null where that is not known. */
  readonly expires: string | null
  readonly where: string
  readonly renewable: boolean
}

export async function runStatus(runtime: Runtime, options: StatusOptions): Promise<void> {
  const output = createOutput(runtime, options)
  const { client, gateway, isGiven } = await runtime.door(options.gateway)
  const known = await client.wellKnown()
  const kept: Kept | undefined = isGiven
    ? { expires: null, where: 'HOOP_TOKEN', renewable: false }
    : await (await runtime.keeper()).describe(gateway)

  if (kept === undefined) {
    await show(output, runtime.version, gateway, known, undefined, undefined)
    throw hoopError('sign-in-needed', `not signed in to ${gateway}`, {
      hint: `run "hoop login --gateway ${gateway}", or set HOOP_TOKEN`,
    })
  }
  const me = await client.me()
  // Asking may have renewed it.
  const now = isGiven ? kept : ((await (await runtime.keeper()).describe(gateway)) ?? kept)
  await show(output, runtime.version, gateway, known, me, now)
}

async function show(
  output: Output,
  version: string,
  gateway: string,
  known: WellKnown,
  me: Me | undefined,
  kept: Kept | undefined,
): Promise<void> {
  const expires = me?.expires ?? kept?.expires ?? null
  if (output.json)
    return output.document({
      gateway,
      gatewayVersion: known.version,
      version,
      issuer: known.issuer,
      user: me?.user ?? null,
      groups: me?.groups ?? [],
      roles: me?.roles ?? [],
      expires,
      renewable: kept?.renewable ?? false,
      tokens: kept?.where ?? null,
    })
  const { style } = output
  const end =
    expires === null
      ? 'not known'
      : `ends ${fromNow(expires, output.now)}${kept?.renewable ? ', renewed by itself' : ''}`
  await output.write(
    pairs(
      [
        ['gateway', `${style('name', gateway)} (version ${visibleLine(known.version)}; this is ${version})`],
        ['issuer', visibleLine(known.issuer)],
        ['user', me === undefined ? style('waiting', 'not signed in') : style('name', visibleLine(me.user))],
        ...(me === undefined
          ? []
          : ([
              ['groups', visibleLine(me.groups.join(', ')) || 'none'],
              ['roles', me.roles.join(', ') || 'none'],
              ['token', end],
              ['kept in', kept?.where ?? ''],
            ] as const)),
      ],
      style,
    ),
  )
}
