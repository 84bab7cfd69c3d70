/** How a program or a shell begins: its recording first, then what runs at the target. And what is said where that fails. */
import { reasonOf } from '../../../../base/errors.ts'
import type { Outcome } from '../../../../contract/record.ts'
import type { Refusal } from '../../../../contract/refusal.ts'
import type { Permit } from '../../../checkpoint.ts'
import type { Recorder, Recordings } from '../../protocol.ts'
import { kept, notRecorded } from '../../terminal/recorded.ts'
import { brokenStatus, refusedStatus } from '../../terminal/refusals.ts'
import type { SessionAsked } from '../asked.ts'
import { allowedEnv } from '../env.ts'
import type { Program, Surroundings } from '../upstream.ts'
import type { ChannelParts, Connections } from './channel.ts'
import { sayNo } from './said.ts'
import type { Sink } from './sink.ts'

export interface Run {
  readonly asked: SessionAsked
  readonly connections: Connections
  readonly parts: ChannelParts
  readonly sink: Sink
  readonly permit: Permit
}

export interface Beginning {
  readonly head: Parameters<Recordings['start']>[1]
  run(surroundings: Surroundings): Promise<Program>
  /** The recording cannot go on. */
  onLost(refusal: Refusal): void
}

/** undefined: it did not begin; the client has been told, and the permit is settled. */
export async function begin(
  { asked, connections, parts, sink, permit }: Run,
  { head, run, onLost }: Beginning,
): Promise<{ readonly program: Program; readonly recorder: Recorder } | undefined> {
  const settle = (outcome: Outcome) => parts.checkpoint.settle(permit, outcome)
  let recorder: Recorder
  try {
    recorder = await parts.recordings.start(permit, head, (reason) => onLost(notRecorded(reason)))
  } catch (error) {
    // Fail closed: what cannot be recorded does not run.
    settle({ status: 'refused' })
    await sayNo(asked, sink, notRecorded(error), refusedStatus)
    return undefined
  }
  try {
    return { recorder, program: await run({ pty: asked.pty, env: allowedEnv(asked.env, parts.settings.env) }) }
  } catch (error) {
    const recording = await kept(recorder, null)
    settle({ status: 'failed', error: { code: 'not-started', message: reasonOf(error) }, ...recording })
    await sayNo(asked, sink, notStarted(connections.upstream.target.name, error), brokenStatus)
    return undefined
  }
}

export function notStarted(target: string, error: unknown): Refusal {
  return {
    code: 'target-refused',
    message: `target "${target}" did not run it: ${reasonOf(error)}`,
    next: 'try again; if it stays so, ask whoever runs the target',
  }
}
