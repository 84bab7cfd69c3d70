/** `hoop replay`: what was asked, answered and shown in a session, in its own time. */
import { type FileHandle, open } from 'node:fs/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { reasonOf } from '../base/errors.ts'
import { exitCodes, hoopError } from '../contract/error-codes.ts'
import type { AuditRecord } from '../contract/record.ts'
import type { Runtime } from '../runtime.ts'
import { examples, gatewayCommandOf, type SharedFlags, wholeNumber } from './flags.ts'
import { createOutput, type Output } from './output/output.ts'
import { parseDuration } from './output/time.ts'
import type { LoadCast } from './replay/cast.ts'
import type { Item } from './replay/programme.ts'
import { scenesOf } from './scenes.ts'

export interface ReplayOptions extends SharedFlags {
  readonly session: string
  /** Times as fast; Infinity: at once. undefined: as it was on a terminal, at once elsewhere. */
  readonly speed?: number
  readonly skipIdle?: number
  /** Milliseconds since the beginning of the session, or with `command` of its recording. */
  readonly seek?: number
  readonly search?: string
  readonly command?: string
  /** A file to make: .har for requests over HTTP, anything else for recordings. */
  readonly export?: string
  /** List the requests over HTTP, also where something else was asked too. */
  readonly requests?: boolean
  /** Print the request with this number as a command line. */
  readonly curl?: number
}

export function replayCommand(runtime: Runtime, run = runReplay): Command {
  const command = gatewayCommandOf('replay')
    .description('play a session again: what was asked, answered and shown, in time')
    .argument('<session>', 'its id')
    .addOption(
      new Option('--speed <n>', 'times as fast: 0.5, 2, 10, max (default: 1 on a terminal, max elsewhere)').argParser(
        toSpeed,
      ),
    )
    .addOption(new Option('--skip-idle <time>', 'no pause longer than this: 2s').argParser(toDuration))
    .addOption(new Option('--command <id>', 'only this command, and its recording; or the number of a request'))
    .addOption(new Option('--seek <time>', 'start there: 90s, 5m').argParser(toDuration).conflicts('search'))
    .addOption(new Option('--search <text>', 'start where this was typed or shown first'))
    .addOption(
      new Option(
        '--export <file>',
        'write requests to FILE.har (HAR 1.2, for dev tools), or recordings to FILE.cast (asciicast v3, for asciinema)',
      ).conflicts(['seek', 'search', 'json']),
    )
    .addOption(
      new Option('--requests', 'list the requests over HTTP (as usual where nothing else was asked)').conflicts([
        'seek',
        'search',
        'export',
      ]),
    )
    .addOption(
      new Option('--curl <n>', 'print request n again, as a curl command against the local port')
        .argParser(wholeNumber(1, 1_000_000_000))
        .conflicts(['seek', 'search', 'export', 'requests', 'json', 'command']),
    )
    .addHelpText(
      'after',
      examples([
        ['hoop replay ses_7k2m9q4x1v3t', 'as it happened'],
        ['hoop replay ses_7k2m9q4x1v3t --speed 4 --skip-idle 2s', 'faster, without the long pauses'],
        ['hoop replay ses_7k2m9q4x1v3t --search "rm -rf"', 'from where this was typed or shown'],
        ['hoop replay ses_7k2m9q4x1v3t --export session.cast', 'for "asciinema play session.cast"'],
        ['hoop replay ses_7k2m9q4x1v3t --export session.har', "requests over HTTP, for a browser's dev tools"],
        ['hoop replay ses_7k2m9q4x1v3t --curl 3', 'the third request, to be asked again'],
        ['hoop replay ses_7k2m9q4x1v3t --json', 'the scenes as NDJSON; with --command also what was shown'],
      ]),
    )
  return command.action((session: string) => run(runtime, { ...command.optsWithGlobals(), session }))
}

export async function runReplay(runtime: Runtime, options: ReplayOptions): Promise<void> {
  const { session } = options
  const output = createOutput(runtime, options)
  const { client, gateway } = await runtime.door(options.gateway)
  await client.session(session)
  const records: AuditRecord[] = []
  for await (const { record } of client.records({ session }, runtime.signal)) records.push(record)
  if (records.length === 0)
    throw hoopError('not-found', `nothing is recorded of ${session}`, { hint: 'see "hoop sessions"' })

  const command = await commandOf(options.command, records, session)
  const about = { session, output }
  if (options.curl !== undefined)
    return (await import('./replay/print-requests.ts')).printCurl(records, options.curl, {
      ...about,
      ports: { folder: runtime.paths.state, gateway },
    })
  if (options.requests === true)
    return (await import('./replay/print-requests.ts')).printRequests(records, { ...about, command })
  if (options.export?.toLowerCase().endsWith('.har') === true)
    return exportHar(options.export, records, { ...about, command, version: runtime.version })

  const { programmeOf } = await import('./replay/programme.ts')
  const { castsOf } = await import('./replay/cast.ts')
  const items = programmeOf(scenesOf(records), await client.recordings(session), command)
  if (items.length === 0)
    throw hoopError('not-found', `there is no command ${command} in ${session}`, {
      hint: `see "hoop logs --session ${session} --json"`,
    })
  const load = castsOf(client, session, runtime.signal)

  if (options.export !== undefined) return exportTo(options.export, items, { ...options, load, output })
  if (output.json)
    return (await import('./replay/as-json.ts')).printItems(items, output, { load, withEvents: command !== undefined })
  if (isWholeSession(options) && items.every(({ kind }) => kind === 'scene')) {
    const { asksOnlyRequests } = await import('./replay/requests.ts')
    if (asksOnlyRequests(records))
      return (await import('./replay/print-requests.ts')).printRequests(records, { ...about, command })
  }
  await perform(runtime, options, { items, load, output, proofs: proofsIn(records) })
}

/** A command's id, or the number of a request in the list of them. */
async function commandOf(
  wanted: string | undefined,
  records: readonly AuditRecord[],
  session: string,
): Promise<string | undefined> {
  if (wanted === undefined || !/^[1-9]\d*$/.test(wanted)) return wanted
  const { requestsOf } = await import('./replay/requests.ts')
  const found = requestsOf(records).find(({ number }) => number === Number(wanted))
  if (found !== undefined) return found.command
  throw hoopError('not-found', `there is no request ${wanted} in ${session}`, {
    hint: `see "hoop replay ${session} --requests"`,
  })
}

/** Nothing says which part of it, or how. */
function isWholeSession({ command, seek, search, speed }: ReplayOptions): boolean {
  return command === undefined && seek === undefined && search === undefined && speed === undefined
}

interface Prepared {
  readonly items: readonly Item[]
  readonly load: LoadCast
  readonly output: Output
  readonly proofs: ReadonlyMap<string, string>
}

async function perform(
  runtime: Runtime,
  options: ReplayOptions,
  { items, load, output, proofs }: Prepared,
): Promise<void> {
  const { createPace } = await import('./replay/pace.ts')
  const { play } = await import('./replay/play.ts')
  const timing = {
    speed: options.speed ?? (output.isTerminal ? 1 : Number.POSITIVE_INFINITY),
    skipIdle: options.skipIdle,
    from: await startOf(items, options, load),
  }
  const pace = createPace(timing, runtime.clock, runtime.signal)
  // One command begins with its recording, not with the session that it was in.
  pace.restart(beginningOf(items, options), timing.from)

  const hasKeys = output.isTerminal && runtime.io.stdin.isTTY && items.some(({ kind }) => kind === 'recording')
  const { keysHelp, listenToKeys } = await import('./replay/keys.ts')
  if (hasKeys) output.talk(output.talkStyle('quiet', keysHelp))
  const giveBack = hasKeys ? listenToKeys(runtime.io, pace) : () => undefined
  try {
    await play(items, {
      load,
      pace,
      output,
      wholeAnswers: options.command !== undefined,
      onLoaded({ command }, sha256) {
        const proof = proofs.get(command)
        if (proof === undefined || proof === sha256) return
        output.talk(output.talkStyle('bad', `the recording of ${command} is not the one the audit speaks of: altered`))
        runtime.exitWith(exitCodes.error)
      },
    })
  } finally {
    giveBack()
  }
}

async function startOf(items: readonly Item[], options: ReplayOptions, load: LoadCast): Promise<number> {
  const beginning = beginningOf(items, options)
  if (options.seek !== undefined) return beginning + options.seek
  if (options.search === undefined) return beginning
  const { findIn } = await import('./replay/search.ts')
  const found = await findIn(items, options.search, load)
  if (found === undefined) throw hoopError('not-found', `"${options.search}" was neither typed nor shown`)
  return found
}

function beginningOf(items: readonly Item[], { command }: ReplayOptions): number {
  if (command === undefined) return 0
  const first = items.find(({ kind }) => kind === 'recording') ?? items[0]
  return first?.atMs ?? 0
}

/** What the audit says each recording's hash is. */
function proofsIn(records: readonly AuditRecord[]): ReadonlyMap<string, string> {
  const proofs = new Map<string, string>()
  for (const record of records)
    if (record.type === 'outcome' && record.outcome.recording !== undefined)
      proofs.set(record.command, record.outcome.recording.sha256)
  return proofs
}

async function exportTo(
  path: string,
  items: readonly Item[],
  { session, load, skipIdle, output }: ReplayOptions & { readonly load: LoadCast; readonly output: Output },
): Promise<void> {
  const count = items.filter(({ kind }) => kind === 'recording').length
  if (count === 0)
    throw hoopError('not-found', `there is no recording to export in ${session}`, {
      hint: 'shells and programs are recorded; requests over HTTP go into FILE.har, statements are in "hoop logs"',
    })
  const { exportedLines } = await import('./replay/export.ts')
  const file = await makeFile(path)
  try {
    for await (const line of exportedLines(items, { session, load, skipIdle })) await file.appendFile(line)
  } finally {
    await file.close()
  }
  output.talk(`${count === 1 ? 'one recording' : `${count} recordings`} in ${path}: asciinema play ${path}`)
}

async function exportHar(
  path: string,
  records: readonly AuditRecord[],
  about: {
    readonly session: string
    readonly output: Output
    readonly command?: string | undefined
    readonly version: string
  },
): Promise<void> {
  const { session, output, command, version } = about
  const { requestsOf } = await import('./replay/requests.ts')
  const { harOf } = await import('./replay/har.ts')
  const requests = requestsOf(records, command)
  if (requests.length === 0)
    throw hoopError('not-found', `there is no request over HTTP to export in ${session}`, {
      hint: 'recordings of shells and programs go into FILE.cast',
    })
  const file = await makeFile(path)
  try {
    await file.writeFile(`${JSON.stringify(harOf(session, requests, version), null, 2)}\n`)
  } finally {
    await file.close()
  }
  output.talk(`${requests.length === 1 ? 'one request' : `${requests.length} requests`} in ${path}`)
  if (hasRecordings(records))
    output.talk(output.talkStyle('quiet', 'its recordings are not in it: export them to FILE.cast'))
}

function hasRecordings(records: readonly AuditRecord[]): boolean {
  return records.some((record) => record.type === 'outcome' && record.outcome.recording !== undefined)
}

async function makeFile(path: string): Promise<FileHandle> {
  return await open(path, 'wx', 0o600).catch((error: unknown) => {
    throw hoopError('usage', `cannot make ${path} (${reasonOf(error)})`, { cause: error, hint: 'name a new file' })
  })
}

function toSpeed(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY
  const speed = Number(text)
  if (text.trim() !== '' && speed > 0) return speed
  throw new InvalidArgumentError('a number above 0, or max, is wanted.')
}

function toDuration(text: string): number {
  const duration = parseDuration(text)
  if (duration === undefined) throw new InvalidArgumentError('a time like 500ms, 2s or 1m is wanted.')
  return duration
}
