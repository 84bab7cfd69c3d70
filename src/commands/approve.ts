/** `hoop approve`: the review screen on a terminal, one decision by id, or the list of what waits. */
import { type Command, Option } from 'commander'
import { visibleLine } from '../base/visible.ts'
import type { Approval } from '../contract/api.ts'
import { hoopError } from '../contract/error-codes.ts'
import { askedInWords } from '../contract/told.ts'
import type { Runtime } from '../runtime.ts'
import { decideOn } from './decide.ts'
import { examples, gatewayCommandOf, type SharedFlags } from './flags.ts'
import { screenConnection } from './output/connection.ts'
import { createOutput, type Output } from './output/output.ts'
import type { Meaning } from './output/style.ts'
import { cut } from './output/style.ts'
import { table } from './output/table.ts'
import { fromNow } from './output/time.ts'

export interface ApproveOptions extends SharedFlags {
  readonly id?: string
  readonly list?: boolean
  readonly state: Approval['state'] | 'all'
  readonly reason?: string
  readonly confirm?: string
  readonly digest?: string
}

/** contract/api.ts has this list too, and with it a library that help would have to wait for; a test compares them. */
export const states = ['pending', 'approved', 'denied', 'expired', 'cancelled', 'all'] as const satisfies readonly (
  | Approval['state']
  | 'all'
)[]

export function approveCommand(runtime: Runtime, run = runApprove): Command {
  const command = gatewayCommandOf('approve')
    .description('review held commands: a screen on a terminal, or one decision by id')
    .argument('[approval]', 'its id; without it, on a terminal: the review screen')
    .addOption(new Option('--list', 'list the approvals and decide nothing'))
    .addOption(new Option('--state <state>', 'with --list: only these').choices(states).default('pending'))
    .addOption(new Option('--reason <text>', 'why; recorded with the decision'))
    .addOption(new Option('--confirm <name>', 'the name that a destructive approval asks to type'))
    .addOption(new Option('--digest <sha256>', 'approve only what has this digest (from --list --json)'))
    .addHelpText(
      'after',
      `${examples([
        ['hoop approve', 'the review screen'],
        ['hoop approve --list --json', 'what waits, for programs'],
        ['hoop approve apr_7k2m9q4x1v3t --reason "agreed in #ops"', 'one decision'],
      ])}

Exit code 8 if more reviewers have to agree. Nobody decides on their own command.`,
    )
  return command.action((id: string | undefined) =>
    run(runtime, { ...command.optsWithGlobals(), ...(id === undefined ? {} : { id }) }),
  )
}

export async function runApprove(runtime: Runtime, options: ApproveOptions): Promise<void> {
  const output = createOutput(runtime, options)
  if (options.id !== undefined && !options.list)
    return decideOn(runtime, output, { ...options, id: options.id, decision: 'approve' })
  if (options.list) return listApprovals(runtime, output, options)
  if (!output.isTerminal || !runtime.io.stdin.isTTY || output.json)
    throw hoopError('usage', 'which approval? the review screen needs a terminal', {
      hint: 'list them with "hoop approve --list", then "hoop approve ID --reason TEXT"',
    })
  return review(runtime, options)
}

async function review(runtime: Runtime, options: ApproveOptions): Promise<void> {
  const { client } = await runtime.door(options.gateway)
  const me = await client.me()
  const { runReview } = await import('../tui/review.tsx')
  const { onConnection, listener } = screenConnection()
  await runReview({
    source: {
      me,
      onConnection,
      watchApprovals: (signal) => client.watchApprovals({ signal, onConnection: listener }),
      decide: (id, wish) => client.decide(id, wish),
    },
    io: runtime.io,
    env: runtime.env,
    clock: runtime.clock,
    signal: runtime.signal,
  })
}

async function listApprovals(runtime: Runtime, output: Output, options: ApproveOptions): Promise<void> {
  const { client } = await runtime.door(options.gateway)
  const approvals = await client.approvals(options.state)
  if (output.json) return output.document(approvals)
  if (approvals.length === 0) return output.talk(options.state === 'pending' ? 'nothing waits' : 'there are none')
  const { style, now } = output
  const rows = approvals.map((approval) => [
    style('name', approval.id),
    style(meanings[approval.state], approval.state),
    visibleLine(approval.agent === null ? approval.user : `${approval.user} via ${approval.agent}`),
    visibleLine(approval.target),
    approval.state === 'pending' ? fromNow(approval.expires, now) : fromNow(approval.ended ?? approval.created, now),
    cut(visibleLine(approval.commands.map(({ asked }) => askedInWords(asked)).join('; ')), 60),
    approval.whyNot === null ? '' : style('quiet', visibleLine(approval.whyNot)),
  ])
  await output.write(table(['APPROVAL', 'STATE', 'USER', 'TARGET', 'ENDS', 'COMMAND', ''], rows, style))
}

const meanings: Readonly<Record<Approval['state'], Meaning>> = {
  pending: 'waiting',
  approved: 'good',
  denied: 'bad',
  expired: 'quiet',
  cancelled: 'quiet',
}
