/** `hoop replay`: what was asked and answered in a session, in its own time. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { hoopError } from '../contract/error-codes.ts'
import type { AuditRecord } from '../contract/record.ts'
import type { Runtime } from '../runtime.ts'
import { examples, gatewayCommandOf, type SharedFlags } from './flags.ts'
import { createOutput } from './output/output.ts'
import { sceneText } from './output/scene.ts'
import { parseDuration } from './output/time.ts'
import { type Scene, scenesOf } from './scenes.ts'

export interface ReplayOptions extends SharedFlags {
  readonly session: string
  /** Times as fast; Infinity: at once. undefined: as it was on a terminal, at once elsewhere. */
  readonly speed?: number
  readonly skipIdle?: number
}

export function replayCommand(runtime: Runtime, run = runReplay): Command {
  const command = gatewayCommandOf('replay')
    .description('play a session again: what was asked and answered, in time')
    .argument('<session>', 'its id')
    .addOption(
      new Option('--speed <n>', 'times as fast: 0.5, 2, 10, max (default: 1 on a terminal, max elsewhere)').argParser(
        toSpeed,
      ),
    )
    .addOption(new Option('--skip-idle <time>', 'no pause longer than this: 2s').argParser(toDuration))
    .addHelpText(
      'after',
      examples([
        ['hoop replay ses_7k2m9q4x1v3t', 'as it happened'],
        ['hoop replay ses_7k2m9q4x1v3t --speed 4 --skip-idle 2s', 'faster, without the long pauses'],
        ['hoop replay ses_7k2m9q4x1v3t --json', 'the scenes as NDJSON'],
      ]),
    )
  return command.action((session: string) => run(runtime, { ...command.optsWithGlobals(), session }))
}

export async function runReplay(runtime: Runtime, options: ReplayOptions): Promise<void> {
  const output = createOutput(runtime, options)
  const { client } = await runtime.door(options.gateway)
  await client.session(options.session)
  const records: AuditRecord[] = []
  for await (const { record } of client.records({ session: options.session }, runtime.signal)) records.push(record)
  if (records.length === 0)
    throw hoopError('not-found', `nothing is recorded of ${options.session}`, { hint: 'see "hoop sessions"' })

  const speed = options.speed ?? (output.isTerminal && !output.json ? 1 : Number.POSITIVE_INFINITY)
  let at = 0
  for (const scene of scenesOf(records)) {
    await pause(waitBefore(scene, at, { speed, skipIdle: options.skipIdle }), runtime.signal)
    if (runtime.signal.aborted) return
    at = scene.atMs
    await (output.json ? output.item(scene) : output.write(sceneText(scene, output)))
  }
}

export function waitBefore(
  scene: Pick<Scene, 'atMs'>,
  at: number,
  { speed, skipIdle }: { readonly speed: number; readonly skipIdle: number | undefined },
): number {
  const pause = Math.max(0, scene.atMs - at)
  return Math.min(pause, skipIdle ?? pause) / speed
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms >= 1) await sleep(ms, undefined, { signal }).catch(() => undefined)
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
