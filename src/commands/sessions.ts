/** `hoop sessions`: who is connected, what one did, and ending it at once. */
import { type Command, Option } from 'commander'
import { visibleLine } from '../base/visible.ts'
import type { Session } from '../contract/api.ts'
import type { Runtime } from '../runtime.ts'
import { examples, gatewayCommandOf, type SharedFlags, wholeNumber } from './flags.ts'
import { createOutput, type Output } from './output/output.ts'
import { recordLine } from './output/records.ts'
import { pairs, table } from './output/table.ts'
import { fromNow, inWords } from './output/time.ts'

export interface ListOptions extends SharedFlags {
  readonly live?: boolean
  readonly limit: number
}

export interface ShowOptions extends SharedFlags {
  readonly id: string
}

export interface KillOptions extends SharedFlags {
  readonly id: string
  readonly reason?: string
}

const runs = { list: runList, show: runShow, kill: runKill }

export function sessionsCommand(runtime: Runtime, run = runs): Command {
  const sessions = gatewayCommandOf('sessions')
    .description('list sessions, show one, end one at once')
    .addHelpText(
      'after',
      examples([
        ['hoop sessions', 'the latest sessions'],
        ['hoop sessions list --live', 'who is connected now'],
        ['hoop sessions show ses_7k2m9q4x1v3t', 'one session and its records'],
        ['hoop sessions kill ses_7k2m9q4x1v3t --reason "runaway agent"', 'end its connections, on both sides'],
      ]),
    )

  const list = gatewayCommandOf('list')
    .description('list sessions, newest last')
    .addOption(new Option('--live', 'only those that have not ended'))
    .addOption(new Option('--limit <n>', 'how many at most').argParser(wholeNumber(1, 1000)).default(20))
  list.action(() => run.list(runtime, list.optsWithGlobals()))

  const show = gatewayCommandOf('show').description('show one session and its records').argument('<session>', 'its id')
  show.action((id: string) => run.show(runtime, { ...show.optsWithGlobals(), id }))

  const kill = gatewayCommandOf('kill')
    .description('end a session: its connections are closed at once, recorded with who and why')
    .argument('<session>', 'its id')
    .addOption(new Option('--reason <text>', 'why; recorded, and told to whoever is connected'))
  kill.action((id: string) => run.kill(runtime, { ...kill.optsWithGlobals(), id }))

  return sessions.addCommand(list, { isDefault: true }).addCommand(show).addCommand(kill)
}

export async function runList(runtime: Runtime, options: ListOptions): Promise<void> {
  const output = createOutput(runtime, options)
  const { client } = await runtime.door(options.gateway)
  const sessions = await client.sessions({ live: options.live === true, limit: options.limit })
  if (output.json) return output.document(sessions)
  if (sessions.length === 0) return output.talk(options.live ? 'nobody is connected' : 'no sessions yet')
  const { style, now } = output
  const rows = sessions.map((session) => [
    style('name', session.id),
    visibleLine(session.agent === null ? session.user : `${session.user} via ${session.agent}`),
    visibleLine(session.targets.join(' ')),
    fromNow(session.started, now),
    stateOf(session, output),
    String(session.commands),
    visibleLine(session.reason ?? ''),
  ])
  await output.write(table(['SESSION', 'USER', 'TARGETS', 'STARTED', 'STATE', 'COMMANDS', 'REASON'], rows, style))
}

export async function runShow(runtime: Runtime, options: ShowOptions): Promise<void> {
  const output = createOutput(runtime, options)
  const { client } = await runtime.door(options.gateway)
  const session = await client.session(options.id)
  if (output.json) return output.document(session)
  const { style, now } = output
  await output.write(
    pairs(
      [
        ['session', style('name', session.id)],
        ['user', visibleLine(session.user)],
        ['agent', visibleLine(session.agent ?? 'none')],
        ['targets', visibleLine(session.targets.join(' '))],
        ['reason', visibleLine(session.reason ?? 'none given')],
        ['started', `${session.started} (${fromNow(session.started, now)})`],
        ['state', stateOf(session, output)],
        ['commands', String(session.commands)],
      ],
      style,
    ),
  )
  await output.write('\n')
  for await (const { record } of client.records({ session: session.id }, runtime.signal))
    await output.write(`${recordLine(record, output)}\n`)
}

export async function runKill(runtime: Runtime, options: KillOptions): Promise<void> {
  const output = createOutput(runtime, options)
  const { client } = await runtime.door(options.gateway)
  await client.killSession(options.id, options.reason ?? 'no reason given')
  if (output.json) return output.document(await client.session(options.id))
  output.talk(`${output.talkStyle('good', 'Ended')} ${visibleLine(options.id)}`)
}

function stateOf(session: Session, { style }: Output): string {
  if (session.ended !== null) {
    const took = inWords(Date.parse(session.ended) - Date.parse(session.started))
    return style('quiet', `ended after ${took}${session.why === null ? '' : `: ${visibleLine(session.why)}`}`)
  }
  return style('good', session.connections === 1 ? '1 connection' : `${session.connections} connections`)
}
