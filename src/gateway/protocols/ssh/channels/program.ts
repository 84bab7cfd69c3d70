/**
 * A permitted program while it runs: input to it, output and stderr back (masked where the permit says so, recorded as
 * shown), window changes and signals, and its end. Bytes go untouched and uncopied where nothing is masked.
 *
 * Input is not recorded: where a terminal echoes it, it is in the output; where none does, it is data, or a password.
 */
import { once } from 'node:events'
import type { ClientChannel } from 'ssh2'
import { reasonOf } from '../../../../base/errors.ts'
import type { Outcome } from '../../../../contract/record.ts'
import type { Refusal } from '../../../../contract/refusal.ts'
import type { Permit } from '../../../checkpoint.ts'
import type { Recorder } from '../../protocol.ts'
import type { SessionAsked } from '../asked.ts'
import { allowedEnv } from '../env.ts'
import { type Exit, sendSignal } from '../inside.ts'
import { brokenStatus, refusalIn, refusedStatus } from '../refusals.ts'
import type { Program } from '../upstream.ts'
import type { ChannelParts, Connections } from './channel.ts'
import { outcomeOfExit } from './exited.ts'
import { pour } from './pour.ts'
import { close, sayNo } from './said.ts'
import { createShown } from './shown.ts'
import { createSink, type Sink } from './sink.ts'

export interface ProgramRun {
  readonly asked: SessionAsked
  readonly connections: Connections
  readonly parts: ChannelParts
  readonly sink: Sink
  readonly permit: Permit
  readonly verb: string
}

export async function runProgram(run: ProgramRun): Promise<void> {
  const { asked, connections, parts, sink, permit, verb } = run
  const { pty } = asked
  const settle = (outcome: Outcome) => parts.checkpoint.settle(permit, outcome)
  const lost = new AbortController()
  const head = { width: pty?.cols ?? 80, height: pty?.rows ?? 24, title: verb, ...(pty && { term: pty.term }) }
  let recorder: Recorder
  try {
    recorder = await parts.recordings.start(permit, head, (reason) => lost.abort(notRecorded(reason)))
  } catch (error) {
    // Fail closed: what cannot be recorded does not run.
    settle({ status: 'refused' })
    return await sayNo(asked, sink, notRecorded(error), refusedStatus)
  }
  let program: Program
  try {
    const env = allowedEnv(asked.env, parts.settings.env)
    program = await connections.upstream.exec(permit, asked.text, { pty: asked.pty, env })
  } catch (error) {
    const recording = await kept(recorder, null)
    settle({ status: 'failed', error: { code: 'not-started', message: reasonOf(error) }, ...recording })
    return await sayNo(asked, sink, notStarted(connections.upstream.target.name, error), brokenStatus)
  }
  const signal = AbortSignal.any([parts.signal, lost.signal])
  const { bytesIn, bytesOut, masked } = await converse(run, program.channel, recorder, signal)
  const exit = program.exit()
  // The client first: it need not wait until the recording is on the disk.
  const refusal = refusalIn(signal.reason)
  if (exit !== undefined && refusal === undefined) await close(asked, sink, exit)
  else
    await sayNo(
      asked,
      sink,
      refusal ?? notStarted(connections.upstream.target.name, 'it ended without a status'),
      brokenStatus,
    )
  const recording = await kept(recorder, exit !== undefined && 'status' in exit ? exit.status : null)
  settle({ ...outcomeOf(exit, signal, lost.signal), bytesIn, bytesOut, ...(masked && { masked }), ...recording })
}

export const eofAfterMs = 50

/** Until the program has ended, or the signal says that it must. */
async function converse(run: ProgramRun, far: ClientChannel, recorder: Recorder, signal: AbortSignal) {
  const { asked, connections, sink, permit } = run
  const { channel } = asked
  asked.onResize = ({ rows, cols, height, width }) => {
    far.setWindow(rows, cols, height, width)
    recorder.resize(cols, rows)
  }
  asked.onSignal = (name) => sendSignal(far, name)

  const inward = createSink(far, connections.upstream.socket, signal)
  const input = pour(channel, inward, far, signal)
  // Not its end(): Node would close the whole channel as soon as its output has ended too, before the program has.
  void input.ended.then(() => inward.flushed()).then(() => far.eof())

  const shown = createShown(permit, recorder)
  const [out, err] = [
    shown.stream((bytes) => sink.write(channel, bytes)),
    shown.stream((bytes) => sink.write(channel.stderr, bytes)),
  ]
  const output = pour(far, sink, channel, signal, out)
  const errors = pour(far.stderr, sink, channel.stderr, signal, err)
  const outputOver = Promise.all([output.ended.then(out.end), errors.ended.then(err.end)])
  const closed = signal.aborted ? undefined : once(far, 'close', { signal }).catch(() => undefined)
  // A program may close its output and go on. Most end with it, and some clients hang up at the end of output: they would
  // miss the exit status, which comes a moment later.
  let over = false
  let eof: NodeJS.Timeout | undefined
  void outputOver
    .then(() => sink.flushed())
    .then(() => {
      if (!over) eof = setTimeout(() => channel.eof(), eofAfterMs)
    })
  await Promise.all([outputOver, closed])
  over = true
  clearTimeout(eof)
  asked.onResize = undefined
  asked.onSignal = undefined
  if (signal.aborted) far.close()
  // What is still in it is of no use to anybody, and would keep the connection's window.
  far.resume()
  far.stderr.resume()
  return { bytesIn: input.bytes, bytesOut: output.bytes + errors.bytes, masked: shown.masked }
}

function outcomeOf(exit: Exit | undefined, signal: AbortSignal, lost: AbortSignal): Outcome {
  if (lost.aborted) return { status: 'failed', error: { code: 'audit-unavailable', message: 'its recording was lost' } }
  return outcomeOfExit(exit, signal)
}

export async function kept(recorder: Recorder, status: number | null): Promise<Pick<Outcome, 'recording'>> {
  try {
    return { recording: await recorder.end(status) }
  } catch {
    // Whoever lost it has said so (onLost); the outcome then names no recording.
    return {}
  }
}

export function notRecorded(reason: unknown): Refusal {
  return {
    code: 'audit-unavailable',
    message: `refused: what it shows cannot be recorded, so it does not go on (${reasonOf(reason)})`,
    next: 'try again later, or tell whoever runs the gateway',
  }
}

export function notStarted(target: string, error: unknown): Refusal {
  return {
    code: 'target-refused',
    message: `target "${target}" did not run it: ${reasonOf(error)}`,
    next: 'try again; if it stays so, ask whoever runs the target',
  }
}
