/** `hoop logs`: the audit, as lines for people, as NDJSON, as a screen that follows, or as a proof. */
import { type Command, Option } from 'commander'
import type { RecordFilter } from '../contract/api.ts'
import { hoopError } from '../contract/error-codes.ts'
import type { Verdict } from '../contract/record.ts'
import type { GatewayClient, SealedRecord } from '../gateway-client/client.ts'
import type { Runtime } from '../runtime.ts'
import { examples, gatewayCommandOf, type SharedFlags, wholeNumber } from './flags.ts'
import { createOutput, type Output } from './output/output.ts'
import { recordLine } from './output/records.ts'
import { parseMoment } from './output/time.ts'
import { sayConnection, screenConnection } from './output/connection.ts'

export interface LogsOptions extends SharedFlags {
  readonly follow?: boolean
  readonly since?: string
  readonly until?: string
  readonly tail?: number
  readonly session?: string
  readonly target?: string
  readonly user?: string
  readonly verdict?: Verdict
  readonly verify?: boolean
  /** With verify: also what recordings there are. */
  readonly recordings?: boolean
  /** false: lines also on a terminal. */
  readonly screen: boolean
}

/** contract/record.ts has this list too, and with it a library that help would have to wait for; a test compares them. */
export const verdicts = ['allow', 'deny', 'hold'] as const satisfies readonly Verdict[]

/** What picks some of the records: a proof takes all. */
const choosing = ['follow', 'since', 'until', 'tail', 'session', 'target', 'user', 'verdict']

/** How many lines are shown when nothing says how many. */
const usualTail = 50

export function logsCommand(runtime: Runtime, run = runLogs): Command {
  const command = gatewayCommandOf('logs')
    .description('read the audit, newest last; follow it; prove it')
    .addOption(new Option('-f, --follow', 'what comes, too; on a terminal as a screen').conflicts('until'))
    .addOption(new Option('--since <when>', 'from then on: 10m, 2h, 1d, 2026-01-31T09:00'))
    .addOption(new Option('--until <when>', 'up to then'))
    .addOption(
      new Option('-n, --tail <n>', `the last n that fit (default ${usualTail}, without --since)`).argParser(
        wholeNumber(1, 10_000),
      ),
    )
    .addOption(new Option('--session <id>', 'only of this session'))
    .addOption(new Option('--target <name>', 'only of this target'))
    .addOption(new Option('--user <name>', 'only of this person'))
    .addOption(
      new Option('--verdict <verdict>', 'only commands so judged; what came of them: --session').choices(verdicts),
    )
    .addOption(
      new Option('--verify', 'fetch every record and check the hash chain; exit 1 at the first flaw').conflicts(
        choosing,
      ),
    )
    .addOption(
      new Option('--recordings', 'fetch every recording too, and check it against its hash')
        .implies({ verify: true })
        .conflicts(choosing),
    )
    .addOption(new Option('--no-screen', 'with --follow on a terminal: plain lines'))
    .addHelpText(
      'after',
      examples([
        ['hoop logs', `the last ${usualTail} records`],
        ['hoop logs --since 1h --verdict deny', 'what was refused in the last hour'],
        ['hoop logs --follow --target pg-prod', 'live; survives a lost connection without a gap'],
        [
          'hoop logs --follow --json | jq -r \'select(.type == "command").asked.text\'',
          'for programs: NDJSON, records as sealed',
        ],
        ['hoop logs --verify', 'prove that no record is missing or altered'],
        ['hoop logs --recordings', 'the same, and that no recording is'],
      ]),
    )
  return command.action(() => run(runtime, command.optsWithGlobals()))
}

export async function runLogs(runtime: Runtime, options: LogsOptions): Promise<void> {
  const output = createOutput(runtime, options)
  const { client } = await runtime.door(options.gateway)
  if (options.verify) return (await import('./verify.ts')).verifyAudit(runtime, client, output, options)

  const filter = filterOf(options, output.now)
  if (options.follow !== true) {
    for await (const item of client.records(filter, runtime.signal)) await show(output, item)
    return
  }
  if (output.isTerminal && runtime.io.stdin.isTTY && !output.json && options.screen)
    return followOnScreen(runtime, client, filter, options)
  const onConnection = sayConnection(output, client.url)
  for await (const item of client.followRecords(filter, { signal: runtime.signal, onConnection }))
    await show(output, item)
}

export function filterOf(options: LogsOptions, now: number): RecordFilter {
  const { since, until, session, target, user, verdict } = options
  const tail = options.tail ?? (since === undefined ? usualTail : undefined)
  const from = since === undefined ? undefined : parseMoment(since, now, '--since')
  const to = until === undefined ? undefined : parseMoment(until, now, '--until')
  if (from !== undefined && to !== undefined && from > to)
    throw hoopError('usage', '--since is later than --until', { hint: 'exchange them' })
  const given = { tail, since: from, until: to, session, target, user, verdict }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** With --json the very line that was sealed, so that its proof can be checked by others. */
function show(output: Output, { line, record }: SealedRecord): Promise<void> {
  if (output.json) return output.write(`${line}\n`)
  return output.write(`${recordLine(record, output)}\n`)
}

/**
 * What a screen that filters begins with: the last records that fit, which may be long ago, among the last of all, which
 * show when the filter is widened. Without a filter, or from a moment on, following brings all of it by itself.
 */
export async function beginningFor(
  client: Pick<GatewayClient, 'records'>,
  filter: RecordFilter,
  signal: AbortSignal,
): Promise<readonly SealedRecord[]> {
  const { session, target, user, verdict, tail } = filter
  if (tail === undefined || [session, target, user, verdict].every((one) => one === undefined)) return []
  const found = new Map<number, SealedRecord>()
  for (const wanted of [filter, unfiltered(filter)])
    for await (const item of client.records(wanted, signal)) found.set(item.record.seq, item)
  return [...found.values()].toSorted((a, b) => a.record.seq - b.record.seq)
}

function unfiltered({ tail, since }: RecordFilter): RecordFilter {
  return { ...(tail === undefined ? {} : { tail }), ...(since === undefined ? {} : { since }) }
}

async function followOnScreen(
  runtime: Runtime,
  client: GatewayClient,
  filter: RecordFilter,
  options: LogsOptions,
): Promise<void> {
  const { runTail } = await import('../tui/tail.tsx')
  const { onConnection, listener } = screenConnection()
  await runTail({
    source: {
      onConnection,
      async *follow(signal) {
        const begun = await beginningFor(client, filter, signal)
        for (const { record } of begun) yield record
        // Filtered here rather than at the gateway: the reader may widen the filter on the screen.
        const after = begun.at(-1)?.record.seq
        const rest = after === undefined ? unfiltered(filter) : { after }
        for await (const { record } of client.followRecords(rest, { signal, onConnection: listener })) yield record
      },
    },
    initialFilter: {
      verdict: options.verdict,
      user: options.user,
      target: options.target,
      session: options.session,
    },
    io: runtime.io,
    env: runtime.env,
    clock: runtime.clock,
    signal: runtime.signal,
  })
}
